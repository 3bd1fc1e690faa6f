/* model: clicks_to_match
   kind: work
   grain: one row a click whose impression must be looked for: new ones, and earlier ones that a changed impression could belong to
   inputs: new_clicks, store.current_clicks, changed_exposures */
with changed as (
  select event_time, user_id, user_hash, campaign_id from changed_exposures where valid
)
select event_key, event_time, user_id, user_hash, campaign_id from new_clicks
union all
select c.event_key, c.event_time, c.user_id, c.user_hash, c.campaign_id
from store.current_clicks c
semi join changed i
  on i.user_hash = c.user_hash and i.user_id = c.user_id and i.campaign_id = c.campaign_id
 and i.event_time <= c.event_time and micros(i.event_time) > micros(c.event_time) - click_to_impression_us()
where (rebuild_from() is null or c.event_time < rebuild_from())
  and c.event_time >= matches_settled_from()
  and c.event_time >= (select min(event_time) from changed)
  and c.event_time < (select from_micros(max(micros(event_time)) + click_to_impression_us()) from changed)
union all
select event_key, event_time, user_id, user_hash, campaign_id from store.current_clicks
where event_time >= rebuild_from() and event_time >= matches_settled_from()
