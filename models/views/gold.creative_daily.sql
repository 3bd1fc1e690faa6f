/* model: gold.creative_daily
   kind: view
   grain: one row a reporting day, creative and campaign
   inputs: store.current_creative_daily */
select report_date, creative_id, campaign_id,
       cast(sum(impressions) as bigint) as impressions,
       cast(sum(valid_impressions) as bigint) as valid_impressions,
       cast(sum(cost_cpm_micros) as bigint) as cost_cpm_micros
from store.current_creative_daily
group by report_date, creative_id, campaign_id having sum(impressions) <> 0
