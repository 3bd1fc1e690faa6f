/* model: campaign-sums
   kind: check
   grain: one row an hour, campaign and measure whose stored sum is not the sum of the facts
   equation: sum of hourly = sum of the facts, each measure */
with fact as (
  select date_trunc('hour', event_time) as hour, campaign_id, 'impressions' as measure, count(*) as amount from store.current_impressions group by 1, 2
  union all select date_trunc('hour', event_time), campaign_id, 'valid_impressions', count(*) from store.current_impressions where valid group by 1, 2
  union all select date_trunc('hour', event_time), campaign_id, 'cost_cpm_micros', sum(price_cpm_micros) from store.current_impressions where valid group by 1, 2
  union all select date_trunc('hour', event_time), campaign_id, 'clicks', count(*) from store.current_clicks group by 1, 2
  union all select date_trunc('hour', event_time), campaign_id, 'valid_clicks', count(*) from store.current_clicks where valid group by 1, 2
  union all select date_trunc('hour', event_time), campaign_id, 'bid_requests', count(*) from silver.bid_requests group by 1, 2
  union all select date_trunc('hour', event_time), campaign_id, 'bids_won', count(*) from silver.bid_requests where won group by 1, 2
  union all select date_trunc('hour', event_time), campaign_id, 'conversions', count(*) from silver.conversions group by 1, 2
  union all select date_trunc('hour', event_time), campaign_id, 'conversion_value_micros', sum(value_micros) from silver.conversions group by 1, 2
  union all select date_trunc('hour', touch_time), campaign_id, 'last_touch_ppm', sum(last_touch_ppm) from store.current_attribution where touch_key is not null group by 1, 2
  union all select date_trunc('hour', touch_time), campaign_id, 'first_touch_ppm', sum(first_touch_ppm) from store.current_attribution where touch_key is not null group by 1, 2
  union all select date_trunc('hour', touch_time), campaign_id, 'linear_ppm', sum(linear_ppm) from store.current_attribution where touch_key is not null group by 1, 2
  union all select date_trunc('hour', touch_time), campaign_id, 'position_based_ppm', sum(position_based_ppm) from store.current_attribution where touch_key is not null group by 1, 2
  union all select date_trunc('hour', touch_time), campaign_id, 'time_decay_ppm', sum(time_decay_ppm) from store.current_attribution where touch_key is not null group by 1, 2
), measured as (
  unpivot (select hour, campaign_id, impressions, valid_impressions, cost_cpm_micros, clicks, valid_clicks, bid_requests, bids_won, conversions, conversion_value_micros,
                  last_touch_ppm, first_touch_ppm, linear_ppm, position_based_ppm, time_decay_ppm from gold.campaign_hourly)
  on columns(* exclude (hour, campaign_id)) into name measure value amount
)
select hour, campaign_id, measure, sum(stored) as stored, sum(facts) as facts, sum(stored) - sum(facts) as difference
from (
  select hour, campaign_id, measure, amount as stored, 0 as facts from measured
  union all
  select hour, campaign_id, measure, 0, coalesce(amount, 0) from fact
) both_sides
group by hour, campaign_id, measure
having sum(stored) <> sum(facts)
