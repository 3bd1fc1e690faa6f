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
   or exists (
     select 1 from changed_touches t
     where t.user_hash = c.user_hash and t.user_id = c.user_id
       and (not match_by_campaign() or c.campaign_id is null or t.campaign_id = c.campaign_id)
       and t.event_time <= c.event_time
       and micros(c.event_time) - micros(t.event_time) < case when t.touch_type = 'click' then click_window_us() else impression_window_us() end
   )
