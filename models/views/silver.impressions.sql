/* model: silver.impressions
   kind: view
   grain: one row an accepted impression
   inputs: store.current_impressions */
select key_text(event_key) as event_key, * exclude (event_key, since_batch) from store.current_impressions
