/* model: store.exposures
   kind: append
   grain: one row a version of an accepted impression: what is matched, counted and restated of it
   inputs: store.exposures, reresolved_impressions */
select e.* exclude (campaign_id, since_batch), r.campaign_id, this_batch() as since_batch
from store.exposures e
join reresolved_impressions r on r.event_key = e.event_key and r.since_batch = e.since_batch
