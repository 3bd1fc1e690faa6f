/* model: gold.conversion_lag
   kind: view
   grain: one row a reporting day of conversion, campaign of the touch and lag between the two, by last touch
   inputs: store.current_attribution */
select report_date, campaign_id, lag_bucket, cast(sum(last_touch_ppm) as bigint) as conversions_ppm
from (
  select conversion_date as report_date, campaign_id, last_touch_ppm,
         case when touch_key is null then 'unattributed'
              when micros(conversion_time) - micros(touch_time) < 3600000000 then '<1h'
              when micros(conversion_time) - micros(touch_time) < 86400000000 then '1h-1d'
              when micros(conversion_time) - micros(touch_time) < 604800000000 then '1d-7d'
              else '7d-30d' end as lag_bucket
  from store.current_attribution
) lagged
where last_touch_ppm > 0
group by report_date, campaign_id, lag_bucket
