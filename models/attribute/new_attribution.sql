/* model: new_attribution
   kind: work
   grain: one row a conversion to attribute and touch of its path; one row without a touch where there is none
   inputs: conversions_to_attribute, eligible_touches, touch_credits */
select c.event_key as conversion_key, from_micros(c.event_us) as conversion_time, c.report_date as conversion_date,
       e.touch_key, e.touch_type, from_micros(e.touch_us) as touch_time, e.touch_date, c.user_id, c.user_hash,
       case when e.touch_key is null then c.campaign_id else e.campaign_id end as campaign_id,
       coalesce(e.path_position, 0) as path_position, coalesce(e.path_length, 0) as path_length, coalesce(e.path_cut, false) as path_cut,
       coalesce(t.last_touch_ppm, 1000000) as last_touch_ppm, coalesce(t.last_touch_value_micros, c.value_micros) as last_touch_value_micros,
       coalesce(t.first_touch_ppm, 1000000) as first_touch_ppm, coalesce(t.first_touch_value_micros, c.value_micros) as first_touch_value_micros,
       coalesce(t.linear_ppm, 1000000) as linear_ppm, coalesce(t.linear_value_micros, c.value_micros) as linear_value_micros,
       coalesce(t.position_based_ppm, 1000000) as position_based_ppm, coalesce(t.position_based_value_micros, c.value_micros) as position_based_value_micros,
       coalesce(t.time_decay_ppm, 1000000) as time_decay_ppm, coalesce(t.time_decay_value_micros, c.value_micros) as time_decay_value_micros,
       c.is_new
from conversions_to_attribute c
left join eligible_touches e on e.conversion_key = c.event_key
left join touch_credits t on t.conversion_key = e.conversion_key and t.touch_key = e.touch_key
