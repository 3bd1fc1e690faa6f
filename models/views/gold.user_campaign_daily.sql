/* model: gold.user_campaign_daily
   kind: view
   grain: one row a reporting day, campaign and user with a valid impression: what reach and frequency are counted from
   inputs: store.current_exposures
   Reach is never summed over days: count distinct users of the period instead. */
select report_date, campaign_id, user_id, count(*) as valid_impressions
from store.current_exposures where valid
group by report_date, campaign_id, user_id
