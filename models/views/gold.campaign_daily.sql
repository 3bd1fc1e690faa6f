/* model: gold.campaign_daily
   kind: view
   grain: one row a reporting day and campaign (NULL: unresolved)
   inputs: store.current_campaign_hourly */
select report_date, campaign_id,
       cast(sum(impressions) as bigint) as impressions,
       cast(sum(valid_impressions) as bigint) as valid_impressions,
       cast(sum(priced_impressions) as bigint) as priced_impressions,
       cast(sum(cost_cpm_micros) as bigint) as cost_cpm_micros,
       cast(sum(clicks) as bigint) as clicks,
       cast(sum(valid_clicks) as bigint) as valid_clicks,
       cast(sum(matched_clicks) as bigint) as matched_clicks,
       cast(sum(bid_requests) as bigint) as bid_requests,
       cast(sum(bids_with_outcome) as bigint) as bids_with_outcome,
       cast(sum(bids_won) as bigint) as bids_won,
       cast(sum(conversions) as bigint) as conversions,
       cast(sum(conversion_value_micros) as bigint) as conversion_value_micros,
       cast(sum(last_touch_ppm) as bigint) as last_touch_ppm,
       cast(sum(last_touch_value_micros) as bigint) as last_touch_value_micros,
       cast(sum(last_touch_click_ppm) as bigint) as last_touch_click_ppm,
       cast(sum(first_touch_ppm) as bigint) as first_touch_ppm,
       cast(sum(first_touch_value_micros) as bigint) as first_touch_value_micros,
       cast(sum(first_touch_click_ppm) as bigint) as first_touch_click_ppm,
       cast(sum(linear_ppm) as bigint) as linear_ppm,
       cast(sum(linear_value_micros) as bigint) as linear_value_micros,
       cast(sum(linear_click_ppm) as bigint) as linear_click_ppm,
       cast(sum(position_based_ppm) as bigint) as position_based_ppm,
       cast(sum(position_based_value_micros) as bigint) as position_based_value_micros,
       cast(sum(position_based_click_ppm) as bigint) as position_based_click_ppm,
       cast(sum(time_decay_ppm) as bigint) as time_decay_ppm,
       cast(sum(time_decay_value_micros) as bigint) as time_decay_value_micros,
       cast(sum(time_decay_click_ppm) as bigint) as time_decay_click_ppm
from store.current_campaign_hourly
group by report_date, campaign_id
having sum(impressions) <> 0 or sum(clicks) <> 0 or sum(bid_requests) <> 0 or sum(conversions) <> 0
