/* model: store.current_impressions
   kind: view
   grain: one row an accepted impression, as of as_of()
   inputs: store.impressions, store.retractions */
select f.*
from store.impressions f
anti join (
  select row_key, since_batch from store.retractions where table_name = 'impressions' and batch_id <= as_of()
) r on r.row_key = f.event_key and r.since_batch = f.since_batch
where f.since_batch <= as_of()
