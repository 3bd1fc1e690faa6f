/* model: silver.bid_requests
   kind: view
   grain: one row an accepted bid request
   inputs: store.bid_requests */
select key_text(event_key) as event_key, * exclude (event_key, since_batch) from store.bid_requests where since_batch <= as_of()
