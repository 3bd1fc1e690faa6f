/* model: touch_credits
   kind: work
   grain: one row a conversion and touch, with its credit and value by each model
   inputs: touch_weights
   A total V gives each touch floor(V * weight / sum); what is left goes one unit each to the largest remainders, ties to the later touch. */
with shared as (
  select conversion_key, touch_key, path_position, model, quantity, total * weight as share, total,
         sum(weight) over (partition by conversion_key, model, quantity) as weights
  from (
    select conversion_key, touch_key, path_position, model, weight, 'ppm' as quantity, 1000000 as total from touch_weights
    union all
    select conversion_key, touch_key, path_position, model, weight, 'value', value_micros from touch_weights
  ) w
), floored as (
  select *, int_div(share, cast(weights as bigint)) as whole, share % cast(weights as bigint) as remainder from shared
), ranked as (
  select *, row_number() over (partition by conversion_key, model, quantity order by remainder desc, path_position desc) as turn,
         total - sum(whole) over (partition by conversion_key, model, quantity) as left_over
  from floored
), credit as (
  select conversion_key, touch_key, model, quantity, whole + case when turn <= left_over then 1 else 0 end as amount from ranked
)
select conversion_key, touch_key,
       cast(sum(case when quantity = 'ppm' and model = 'last_touch' then amount end) as bigint) as last_touch_ppm,
       cast(sum(case when quantity = 'value' and model = 'last_touch' then amount end) as bigint) as last_touch_value_micros,
       cast(sum(case when quantity = 'ppm' and model = 'first_touch' then amount end) as bigint) as first_touch_ppm,
       cast(sum(case when quantity = 'value' and model = 'first_touch' then amount end) as bigint) as first_touch_value_micros,
       cast(sum(case when quantity = 'ppm' and model = 'linear' then amount end) as bigint) as linear_ppm,
       cast(sum(case when quantity = 'value' and model = 'linear' then amount end) as bigint) as linear_value_micros,
       cast(sum(case when quantity = 'ppm' and model = 'position_based' then amount end) as bigint) as position_based_ppm,
       cast(sum(case when quantity = 'value' and model = 'position_based' then amount end) as bigint) as position_based_value_micros,
       cast(sum(case when quantity = 'ppm' and model = 'time_decay' then amount end) as bigint) as time_decay_ppm,
       cast(sum(case when quantity = 'value' and model = 'time_decay' then amount end) as bigint) as time_decay_value_micros
from credit
group by conversion_key, touch_key
