/* model: changed_touches
   kind: work
   grain: one row a touch that appears, disappears or changes in this batch
   inputs: changed_impressions, changed_clicks
   A click that only found another impression is the same touch as before. */
select 'impression' as touch_type, event_time, user_id, user_hash, campaign_id from changed_impressions where valid
union all
select 'click' as touch_type, event_time, user_id, user_hash, campaign_id
from changed_clicks where valid
group by event_key, event_time, user_id, user_hash, campaign_id
having sum(sign) <> 0
