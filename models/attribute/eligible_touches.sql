/* model: eligible_touches
   kind: work
   grain: one row a conversion to attribute and touch of its path, numbered 1 … path_length in path order
   inputs: conversions_to_attribute, match_scopes, scoped_touches
   Counting the touches before each conversion first bounds the join: at most max_touches() of each type, however busy a user is. */
with scoped as (
  select c.event_key as conversion_key, c.event_us, c.value_micros, s.scope_id
  from conversions_to_attribute c
  join match_scopes s on s.user_id = c.user_id and s.match_campaign_id is not distinct from c.match_campaign_id
), counted as (
  select conversion_key, event_us, value_micros, scope_id, touch_type, earlier
  from (
    select scope_id, conversion_key, event_us, value_micros, touch_type, is_conversion,
           sum(1 - is_conversion) over (partition by scope_id, touch_type order by event_us, is_conversion rows between unbounded preceding and current row) as earlier
    from (
      select scope_id, null as conversion_key, touch_us as event_us, 0 as value_micros, touch_type, 0 as is_conversion from scoped_touches
      union all
      select s.scope_id, s.conversion_key, s.event_us, s.value_micros, y.touch_type, 1
      from scoped s cross join (select 'click' as touch_type union all select 'impression') y
    ) timeline
  ) placed
  where is_conversion = 1 and earlier > 0
), eligible as (
  select c.conversion_key, c.event_us as conversion_us, c.value_micros, c.earlier, t.touch_type, t.type_order, t.touch_key, t.touch_us, t.touch_date, t.campaign_id,
         max(t.type_order) over (partition by c.conversion_key) as best_type
  from counted c
  join scoped_touches t on t.scope_id = c.scope_id and t.touch_type = c.touch_type
   and t.nth <= c.earlier and t.nth >= c.earlier - max_touches()
  where c.event_us - t.touch_us < case when t.touch_type = 'click' then click_window_us() else impression_window_us() end
), preferred as (
  select *, row_number() over (partition by conversion_key order by touch_us desc, type_order desc, touch_key desc) as from_end,
         count(*) over (partition by conversion_key) as eligible_touches
  from eligible
  where not click_preferred() or type_order = best_type
)
select conversion_key, conversion_us, value_micros, touch_type, touch_key, touch_us, touch_date, campaign_id,
       1 + least(eligible_touches, max_touches()) - from_end as path_position,
       least(eligible_touches, max_touches()) as path_length,
       eligible_touches > max_touches() as path_cut
from preferred
where from_end <= max_touches()
