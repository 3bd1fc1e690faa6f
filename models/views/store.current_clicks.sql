/* model: store.current_clicks
   kind: view
   grain: one row an accepted click, as of as_of()
   inputs: store.clicks, store.retractions */
select f.*
from store.clicks f
anti join (
  select row_key, since_batch from store.retractions where table_name = 'clicks' and batch_id <= as_of()
) r on r.row_key = f.event_key and r.since_batch = f.since_batch
where f.since_batch <= as_of()
