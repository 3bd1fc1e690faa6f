/* model: changed_exposures
   kind: work-view
   grain: one row a version of an impression that this batch adds (sign 1) or takes back (sign -1)
   inputs: store.exposures, store.retractions */
select e.*, 1 as sign from store.exposures e where e.since_batch = this_batch()
union all
select e.*, -1 as sign
from store.exposures e
join store.retractions r on r.row_key = e.event_key and r.since_batch = e.since_batch
where r.table_name = 'impressions' and r.batch_id = this_batch()
