/* model: touch-times
   kind: check
   grain: one row a credited touch that comes after its conversion, or is no valid event
   equation: no touch after its conversion
   A touch may be gone or changed where its conversion is too old to be credited anew. */
select key_text(a.conversion_key) as conversion_key, key_text(a.touch_key) as touch_key, a.touch_type, a.touch_time, a.conversion_time, 1 as difference
from store.current_attribution a
left join store.current_clicks c on c.event_key = a.touch_key and a.touch_type = 'click'
left join store.current_impressions i on i.event_key = a.touch_key and a.touch_type = 'impression'
where a.touch_key is not null and (a.touch_time > a.conversion_time or (not coalesce(c.valid, i.valid, false) and a.conversion_time >= (select conversions_from from store.settled)))
