/* model: ref.creatives
   kind: view
   grain: one row a creative_id and valid_from
   inputs: store.current_creatives */
select * exclude (event_key, content_hash) from store.current_creatives
