/* model: credit
   kind: check
   grain: one row a conversion whose credit or credited value, by any model, is not whole
   equation: sum of credit = 10^6 a conversion, sum of credited value = its value, each model
   Of conversions on days of which both they and their credit are kept. */
with since as (
  select coalesce(max(kept_from), date '0001-01-01') as day from store.kept where table_name in ('conversions', 'attribution')
), credited as (
  select conversion_key, sum(last_touch_ppm) as last_touch, sum(first_touch_ppm) as first_touch, sum(linear_ppm) as linear,
         sum(position_based_ppm) as position_based, sum(time_decay_ppm) as time_decay,
         sum(last_touch_value_micros) as last_touch_value, sum(first_touch_value_micros) as first_touch_value, sum(linear_value_micros) as linear_value,
         sum(position_based_value_micros) as position_based_value, sum(time_decay_value_micros) as time_decay_value
  from store.current_attribution where conversion_date >= (select day from since) group by conversion_key
)
select key_text(coalesce(c.event_key, a.conversion_key)) as conversion_key, c.value_micros, a.* exclude (conversion_key), 1 as difference
from (select event_key, coalesce(value_micros, 0) as value_micros from store.conversions where since_batch <= as_of() and report_date >= (select day from since)) c
full join credited a on a.conversion_key = c.event_key
where c.event_key is null or a.conversion_key is null
   or a.last_touch <> 1000000 or a.first_touch <> 1000000 or a.linear <> 1000000 or a.position_based <> 1000000 or a.time_decay <> 1000000
   or a.last_touch_value <> c.value_micros or a.first_touch_value <> c.value_micros or a.linear_value <> c.value_micros
   or a.position_based_value <> c.value_micros or a.time_decay_value <> c.value_micros
