/* model: gold.website_daily
   kind: view
   grain: one row a reporting day and website
   inputs: store.current_website_daily */
select report_date, website,
       cast(sum(impressions) as bigint) as impressions,
       cast(sum(valid_impressions) as bigint) as valid_impressions,
       cast(sum(cost_cpm_micros) as bigint) as cost_cpm_micros
from store.current_website_daily
group by report_date, website having sum(impressions) <> 0
