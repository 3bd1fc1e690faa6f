/* model: store.current_attribution
   kind: view
   grain: one row a conversion and touch of its path (one without a touch where there is none), as of as_of()
   inputs: store.attribution, store.retractions */
select f.*
from store.attribution f
anti join (
  select row_key, since_batch from store.retractions where table_name = 'attribution' and batch_id <= as_of()
) r on r.row_key = f.conversion_key and r.since_batch = f.since_batch
where f.since_batch <= as_of()
