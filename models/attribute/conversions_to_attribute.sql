/* model: conversions_to_attribute
   kind: work
   grain: one row a conversion whose path is laid in this batch: new ones, and earlier ones that a changed touch could be part of
   inputs: store.conversions, changed_touches
   match_campaign_id is NULL where the user alone decides. */
with reached as (
  select v.event_key from store.conversions v
  semi join changed_touches t
    on t.user_hash = v.user_hash and t.user_id = v.user_id and t.campaign_id = v.campaign_id
   and t.event_time <= v.event_time and t.window_end_us > micros(v.event_time)
  where match_by_campaign() and v.campaign_id is not null
  union all
  select v.event_key from store.conversions v
  semi join changed_touches t
    on t.user_hash = v.user_hash and t.user_id = v.user_id
   and t.event_time <= v.event_time and t.window_end_us > micros(v.event_time)
  where not match_by_campaign() or v.campaign_id is null
)
select c.event_key, micros(c.event_time) as event_us, c.report_date, c.user_id, c.user_hash, c.campaign_id,
       case when match_by_campaign() then c.campaign_id end as match_campaign_id,
       coalesce(c.value_micros, 0) as value_micros, c.batch_id = this_batch() as is_new
from store.conversions c
where c.batch_id = this_batch()
   or c.event_time >= rebuild_from()
   or c.event_key in (select event_key from reached)
