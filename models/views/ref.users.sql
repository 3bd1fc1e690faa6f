/* model: ref.users
   kind: view
   grain: one row a user_id
   inputs: store.current_users */
select * exclude (event_key, content_hash) from store.current_users
