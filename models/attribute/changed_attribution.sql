/* model: changed_attribution
   kind: work
   grain: one row an attribution row that this batch adds (sign 1) or takes back (sign -1)
   inputs: store.attribution, store.retractions */
select a.*, 1 as sign from store.attribution a where a.since_batch = this_batch()
union all
select a.*, -1 as sign
from store.attribution a
join store.retractions r on r.row_key = a.conversion_key and r.since_batch = a.since_batch
where r.table_name = 'attribution' and r.batch_id = this_batch()
