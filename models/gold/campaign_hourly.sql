/* model: store.campaign_hourly
   kind: append
   grain: what one batch adds to one hour (UTC), reporting day and campaign
   inputs: changed_exposures, changed_clicks, store.conversions, store.bid_requests, changed_attribution
   Impressions, clicks, bid requests and conversions count in their own hour, credit in the hour of the touch. */
with impression as (
  select date_trunc('hour', event_time) as hour, report_date, campaign_id,
         sum(sign) as impressions,
         sum(case when valid then sign else 0 end) as valid_impressions,
         sum(case when valid and price_cpm_micros is not null then sign else 0 end) as priced_impressions,
         sum(case when valid then sign * price_cpm_micros else 0 end) as cost_cpm_micros
  from changed_exposures group by 1, 2, 3
), click as (
  select date_trunc('hour', event_time) as hour, report_date, campaign_id,
         sum(sign) as clicks, sum(case when valid then sign else 0 end) as valid_clicks,
         sum(case when impression_key is not null then sign else 0 end) as matched_clicks
  from changed_clicks group by 1, 2, 3
), bid as (
  select date_trunc('hour', event_time) as hour, report_date, campaign_id,
         count(*) as bid_requests, count(won) as bids_with_outcome, count(case when won then 1 end) as bids_won
  from store.bid_requests where since_batch = this_batch() group by 1, 2, 3
), conversion as (
  select date_trunc('hour', event_time) as hour, report_date, campaign_id,
         count(*) as conversions, sum(coalesce(value_micros, 0)) as conversion_value_micros
  from store.conversions where since_batch = this_batch() group by 1, 2, 3
), credit as (
  select date_trunc('hour', touch_time) as hour, touch_date as report_date, campaign_id,
         sum(sign * last_touch_ppm) as last_touch_ppm, sum(sign * last_touch_value_micros) as last_touch_value_micros,
         sum(sign * first_touch_ppm) as first_touch_ppm, sum(sign * first_touch_value_micros) as first_touch_value_micros,
         sum(sign * linear_ppm) as linear_ppm, sum(sign * linear_value_micros) as linear_value_micros,
         sum(sign * position_based_ppm) as position_based_ppm, sum(sign * position_based_value_micros) as position_based_value_micros,
         sum(sign * time_decay_ppm) as time_decay_ppm, sum(sign * time_decay_value_micros) as time_decay_value_micros,
         sum(case when touch_type = 'click' then sign * last_touch_ppm else 0 end) as last_touch_click_ppm,
         sum(case when touch_type = 'click' then sign * first_touch_ppm else 0 end) as first_touch_click_ppm,
         sum(case when touch_type = 'click' then sign * linear_ppm else 0 end) as linear_click_ppm,
         sum(case when touch_type = 'click' then sign * position_based_ppm else 0 end) as position_based_click_ppm,
         sum(case when touch_type = 'click' then sign * time_decay_ppm else 0 end) as time_decay_click_ppm
  from changed_attribution where touch_key is not null group by 1, 2, 3
), measured as (
  select * from impression
  union all by name select * from click
  union all by name select * from bid
  union all by name select * from conversion
  union all by name select * from credit
)
select hour, report_date, campaign_id,
       cast(coalesce(sum(impressions), 0) as bigint) as impressions,
       cast(coalesce(sum(valid_impressions), 0) as bigint) as valid_impressions,
       cast(coalesce(sum(priced_impressions), 0) as bigint) as priced_impressions,
       cast(coalesce(sum(cost_cpm_micros), 0) as bigint) as cost_cpm_micros,
       cast(coalesce(sum(clicks), 0) as bigint) as clicks,
       cast(coalesce(sum(valid_clicks), 0) as bigint) as valid_clicks,
       cast(coalesce(sum(matched_clicks), 0) as bigint) as matched_clicks,
       cast(coalesce(sum(bid_requests), 0) as bigint) as bid_requests,
       cast(coalesce(sum(bids_with_outcome), 0) as bigint) as bids_with_outcome,
       cast(coalesce(sum(bids_won), 0) as bigint) as bids_won,
       cast(coalesce(sum(conversions), 0) as bigint) as conversions,
       cast(coalesce(sum(conversion_value_micros), 0) as bigint) as conversion_value_micros,
       cast(coalesce(sum(last_touch_ppm), 0) as bigint) as last_touch_ppm,
       cast(coalesce(sum(last_touch_value_micros), 0) as bigint) as last_touch_value_micros,
       cast(coalesce(sum(last_touch_click_ppm), 0) as bigint) as last_touch_click_ppm,
       cast(coalesce(sum(first_touch_ppm), 0) as bigint) as first_touch_ppm,
       cast(coalesce(sum(first_touch_value_micros), 0) as bigint) as first_touch_value_micros,
       cast(coalesce(sum(first_touch_click_ppm), 0) as bigint) as first_touch_click_ppm,
       cast(coalesce(sum(linear_ppm), 0) as bigint) as linear_ppm,
       cast(coalesce(sum(linear_value_micros), 0) as bigint) as linear_value_micros,
       cast(coalesce(sum(linear_click_ppm), 0) as bigint) as linear_click_ppm,
       cast(coalesce(sum(position_based_ppm), 0) as bigint) as position_based_ppm,
       cast(coalesce(sum(position_based_value_micros), 0) as bigint) as position_based_value_micros,
       cast(coalesce(sum(position_based_click_ppm), 0) as bigint) as position_based_click_ppm,
       cast(coalesce(sum(time_decay_ppm), 0) as bigint) as time_decay_ppm,
       cast(coalesce(sum(time_decay_value_micros), 0) as bigint) as time_decay_value_micros,
       cast(coalesce(sum(time_decay_click_ppm), 0) as bigint) as time_decay_click_ppm,
       this_batch() as batch_id
from measured
group by hour, report_date, campaign_id
