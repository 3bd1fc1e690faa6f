/* model: store.impressions
   kind: append
   grain: one row a version of an accepted impression
   inputs: store.impressions, reresolved_impressions */
select i.* exclude (campaign_id, since_batch), r.campaign_id, this_batch() as since_batch
from store.impressions i
join reresolved_impressions r on r.event_key = i.event_key and r.since_batch = i.since_batch
