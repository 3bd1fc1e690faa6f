/* model: changed_clicks
   kind: work
   grain: one row a version of a click that this batch adds (sign 1) or takes back (sign -1)
   inputs: store.clicks, store.retractions */
select c.*, 1 as sign from store.clicks c where c.since_batch = this_batch()
union all
select c.*, -1 as sign
from store.clicks c
join store.retractions r on r.row_key = c.event_key and r.since_batch = c.since_batch
where r.table_name = 'clicks' and r.batch_id = this_batch()
