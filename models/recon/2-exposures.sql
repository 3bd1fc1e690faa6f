/* model: exposures
   kind: check
   grain: one row a reporting day, campaign, creative and website of which other impressions are matched and counted than are kept
   equation: exposures = impressions */
with both_sides as (
  select report_date, campaign_id, creative_id, website, 1 as kept, case when valid then 1 else 0 end as valid, price_cpm_micros as price, micros(event_time) as at_us
  from store.current_impressions
  union all
  select report_date, campaign_id, creative_id, website, -1, case when valid then -1 else 0 end, -price_cpm_micros, -micros(event_time)
  from store.current_exposures
)
select report_date, campaign_id, creative_id, website, sum(kept) as difference, sum(valid) as valid_difference, sum(price) as price_difference
from both_sides
group by report_date, campaign_id, creative_id, website
having sum(kept) <> 0 or sum(valid) <> 0 or sum(price) <> 0 or sum(at_us) <> 0
