/* model: silver.clicks
   kind: view
   grain: one row an accepted click; impression_key is NULL for an orphan
   inputs: store.current_clicks */
select key_text(event_key) as event_key, * exclude (event_key, user_hash, since_batch, bot) replace (key_text(impression_key) as impression_key) from store.current_clicks
