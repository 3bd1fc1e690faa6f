/* model: scoped_touches
   kind: work
   grain: one row a scope and valid touch in its time, numbered among the scope's touches of that type
   inputs: match_scopes, store.current_clicks, store.current_exposures */
select t.*, row_number() over (partition by scope_id, touch_type order by touch_us, touch_key) as nth
from (
  select s.scope_id, 'click' as touch_type, 1 as type_order, c.event_key as touch_key, micros(c.event_time) as touch_us, c.report_date as touch_date, c.campaign_id
  from store.current_clicks c
  join match_scopes s on s.user_hash = c.user_hash and s.user_id = c.user_id
   and c.event_time > s.clicks_from and c.event_time <= s.touches_to
  where c.valid and (s.match_campaign_id is null or c.campaign_id = s.match_campaign_id)
    and c.event_time > (select min(clicks_from) from match_scopes) and c.event_time <= (select max(touches_to) from match_scopes)
  union all
  select s.scope_id, 'impression', 0, i.event_key, micros(i.event_time), i.report_date, i.campaign_id
  from store.current_exposures i
  join match_scopes s on s.user_hash = i.user_hash and user_check(s.user_id) = i.user_check
   and i.event_time > s.impressions_from and i.event_time <= s.touches_to
  where i.valid and (s.match_campaign_id is null or i.campaign_id = s.match_campaign_id)
    and i.event_time > (select min(impressions_from) from match_scopes) and i.event_time <= (select max(touches_to) from match_scopes)
) t
