/* model: store.exposures
   kind: append
   grain: one row a version of an accepted impression: what is matched, counted and restated of it
   inputs: resolved_impressions */
select event_key, user_hash, user_id, event_time, report_date, campaign_id, campaign_given, creative_id, website, price_cpm_micros, valid, since_batch,
       user_check(user_id) as user_check
from resolved_impressions
