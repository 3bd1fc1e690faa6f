/* model: ref.users
   kind: view
   grain: one row a user_id
   inputs: store.current_users */
select * exclude (content_hash) from store.current_users
