/* model: changed_touches
   kind: work-view
   grain: one row a touch that appears, disappears or changes in this batch
   inputs: changed_exposures, changed_clicks
   A conversion at event_time or later, before window_end_us, can be credited to it. A click that only found another impression is the same touch as before. */
select event_time, micros(event_time) + impression_window_us() as window_end_us, user_id, user_hash, campaign_id from changed_exposures where valid
union all
select event_time, micros(event_time) + click_window_us(), user_id, user_hash, campaign_id
from changed_clicks where valid
group by event_key, event_time, user_id, user_hash, campaign_id
having sum(sign) <> 0
