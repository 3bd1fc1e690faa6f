/* model: changed_impressions
   kind: work-view
   grain: one row a version of an impression that this batch adds (sign 1) or takes back (sign -1)
   inputs: store.impressions, store.retractions */
select i.*, 1 as sign from store.impressions i where i.since_batch = this_batch()
union all
select i.*, -1 as sign
from store.impressions i
join store.retractions r on r.row_key = i.event_key and r.since_batch = i.since_batch
where r.table_name = 'impressions' and r.batch_id = this_batch()
