/* model: silver.conversions
   kind: view
   grain: one row an accepted conversion
   inputs: store.conversions */
select key_text(event_key) as event_key, * exclude (event_key, user_hash, since_batch) from store.conversions where since_batch <= as_of()
