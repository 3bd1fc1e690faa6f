/* model: creative_periods
   kind: work
   grain: one row a creative and the time in which it belonged to one campaign: [period_start, period_end)
   inputs: store.current_creatives */
select creative_id, campaign_id,
       coalesce(valid_from, from_micros(0)) as period_start,
       lead(valid_from, 1, from_micros(253402300799000000)) over (partition by creative_id order by coalesce(valid_from, from_micros(0))) as period_end
from store.current_creatives
