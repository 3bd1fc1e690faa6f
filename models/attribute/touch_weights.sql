/* model: touch_weights
   kind: work
   grain: one row a conversion, touch and attribution model, with the touch's integer weight
   inputs: eligible_touches, time_decay_weights
   time_decay: the weight halves with each half-life; steps of 1/64 of a half-life come from the table, whole ones are halvings. */
with aged as (
  select *, int_div(64 * (conversion_us - touch_us), half_life_us()) as age_64ths from eligible_touches
), weighted as (
  select a.conversion_key, a.touch_key, a.path_position, a.value_micros,
         case when path_position = path_length then 1 else 0 end as last_touch,
         case when path_position = 1 then 1 else 0 end as first_touch,
         1 as linear,
         case when path_length < 3 then 1 when path_position = 1 or path_position = path_length then 2 * (path_length - 2) else 1 end as position_based,
         case when int_div(age_64ths, 64) > 20 then 1 else greatest(1, shift_right(d.weight, int_div(age_64ths, 64))) end as time_decay
  from aged a
  join time_decay_weights d on d.step = a.age_64ths % 64
)
select w.conversion_key, w.touch_key, w.path_position, w.value_micros, m.model,
       case m.model when 'last_touch' then w.last_touch when 'first_touch' then w.first_touch when 'linear' then w.linear
                    when 'position_based' then w.position_based else w.time_decay end as weight
from weighted w
cross join (select 'last_touch' as model union all select 'first_touch' union all select 'linear' union all select 'position_based' union all select 'time_decay') m
