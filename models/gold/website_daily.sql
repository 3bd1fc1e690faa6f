/* model: store.website_daily
   kind: append
   grain: what one batch adds to one reporting day and website
   inputs: changed_exposures */
select report_date, website,
       cast(sum(sign) as bigint) as impressions,
       cast(sum(case when valid then sign else 0 end) as bigint) as valid_impressions,
       cast(coalesce(sum(case when valid then sign * price_cpm_micros end), 0) as bigint) as cost_cpm_micros,
       this_batch() as batch_id
from changed_exposures
group by report_date, website
