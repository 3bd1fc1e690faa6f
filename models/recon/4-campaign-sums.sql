/* model: campaign-sums
   kind: check
   grain: one row an hour, campaign and measure whose stored sum is not the sum of the facts
   equation: sum of hourly = sum of the facts, each measure
   Sums outlive their facts: only days of which both are kept are compared. */
with since as (
  select coalesce(max(case when table_name in ('impressions', 'gold') then kept_from end), date '0001-01-01') as impressions,
         coalesce(max(case when table_name in ('clicks', 'gold') then kept_from end), date '0001-01-01') as clicks,
         coalesce(max(case when table_name in ('conversions', 'gold') then kept_from end), date '0001-01-01') as conversions,
         coalesce(max(case when table_name in ('bid_requests', 'gold') then kept_from end), date '0001-01-01') as bid_requests,
         coalesce(max(case when table_name in ('attribution', 'gold') then kept_from end), date '0001-01-01') as attribution
  from store.kept
), credit as (
  unpivot (select date_trunc('hour', touch_time) as hour, touch_date as report_date, campaign_id, last_touch_ppm, first_touch_ppm, linear_ppm, position_based_ppm, time_decay_ppm
           from store.current_attribution where touch_key is not null)
  on columns(* exclude (hour, report_date, campaign_id)) into name measure value amount
), fact as (
  select date_trunc('hour', event_time) as hour, report_date, campaign_id, 'impressions' as measure, count(*) as amount from store.current_impressions group by 1, 2, 3
  union all select date_trunc('hour', event_time), report_date, campaign_id, 'valid_impressions', count(*) from store.current_impressions where valid group by 1, 2, 3
  union all select date_trunc('hour', event_time), report_date, campaign_id, 'cost_cpm_micros', sum(price_cpm_micros) from store.current_impressions where valid group by 1, 2, 3
  union all select date_trunc('hour', event_time), report_date, campaign_id, 'clicks', count(*) from store.current_clicks group by 1, 2, 3
  union all select date_trunc('hour', event_time), report_date, campaign_id, 'valid_clicks', count(*) from store.current_clicks where valid group by 1, 2, 3
  union all select date_trunc('hour', event_time), report_date, campaign_id, 'bid_requests', count(*) from silver.bid_requests group by 1, 2, 3
  union all select date_trunc('hour', event_time), report_date, campaign_id, 'bids_won', count(*) from silver.bid_requests where won group by 1, 2, 3
  union all select date_trunc('hour', event_time), report_date, campaign_id, 'conversions', count(*) from silver.conversions group by 1, 2, 3
  union all select date_trunc('hour', event_time), report_date, campaign_id, 'conversion_value_micros', sum(value_micros) from silver.conversions group by 1, 2, 3
  union all select hour, report_date, campaign_id, measure, sum(amount) from credit group by 1, 2, 3, 4
), measured as (
  unpivot (select hour, report_date, campaign_id, impressions, valid_impressions, cost_cpm_micros, clicks, valid_clicks, bid_requests, bids_won, conversions,
                  conversion_value_micros, last_touch_ppm, first_touch_ppm, linear_ppm, position_based_ppm, time_decay_ppm
           from store.campaign_hourly where batch_id <= as_of())
  on columns(* exclude (hour, report_date, campaign_id)) into name measure value amount
)
select hour, campaign_id, measure, sum(stored) as stored, sum(facts) as facts, sum(stored) - sum(facts) as difference
from (
  select hour, report_date, campaign_id, measure, amount as stored, 0 as facts from measured
  union all
  select hour, report_date, campaign_id, measure, 0, coalesce(amount, 0) from fact
) both_sides
cross join since
where report_date >= case when measure in ('impressions', 'valid_impressions', 'cost_cpm_micros') then since.impressions
                          when measure in ('clicks', 'valid_clicks') then since.clicks
                          when measure in ('bid_requests', 'bids_won') then since.bid_requests
                          when measure in ('conversions', 'conversion_value_micros') then since.conversions
                          else since.attribution end
group by hour, report_date, campaign_id, measure
having sum(stored) <> sum(facts)
