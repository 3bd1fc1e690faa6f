/* model: conversions_to_attribute
   kind: work
   grain: one row a conversion whose path is laid in this batch: new ones, and earlier ones that a changed touch could be part of
   inputs: store.conversions, changed_touches
   match_campaign_id is NULL where the user alone decides. */
select c.event_key, micros(c.event_time) as event_us, c.report_date, c.user_id, c.user_hash, c.campaign_id,
       case when match_by_campaign() then c.campaign_id end as match_campaign_id,
       coalesce(c.value_micros, 0) as value_micros, c.batch_id = this_batch() as is_new
from store.conversions c
where c.batch_id = this_batch()
   or c.event_time >= rebuild_from()
   or c.event_key in (
     select v.event_key from store.conversions v
     semi join changed_touches t
       on t.user_hash = v.user_hash and t.user_id = v.user_id
      and (not match_by_campaign() or v.campaign_id is null or t.campaign_id = v.campaign_id)
      and t.event_time <= v.event_time
      and micros(v.event_time) - micros(t.event_time) < case when t.touch_type = 'click' then click_window_us() else impression_window_us() end
   )
