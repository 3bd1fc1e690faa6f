/* model: conversions_to_attribute
   kind: work
   grain: one row a conversion whose path is laid in this batch: new ones, and earlier ones that a changed touch could be part of
   inputs: store.conversions, changed_touches
   match_campaign_id is NULL where the user alone decides. A conversion some of whose touches may be removed keeps the path that it has. */
with reached as (
  select distinct v.event_key
  from changed_touches t
  join store.conversions v
    on v.user_hash = t.user_hash and v.user_id = t.user_id and v.event_time >= t.event_time and micros(v.event_time) < t.window_end_us
  where not match_by_campaign() or v.campaign_id is null or v.campaign_id = t.campaign_id
)
select c.event_key, micros(c.event_time) as event_us, c.report_date, c.user_id, c.user_hash, c.campaign_id,
       case when match_by_campaign() then c.campaign_id end as match_campaign_id,
       coalesce(c.value_micros, 0) as value_micros, c.batch_id = this_batch() as is_new
from store.conversions c
where c.batch_id = this_batch()
   or (c.event_time >= conversions_settled_from()
       and (c.event_time >= rebuild_from() or c.event_key in (select event_key from reached)))
