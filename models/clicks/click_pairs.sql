/* model: click_pairs
   kind: work
   grain: one row a user and campaign with a new click, and from when on its clicks must be judged again; another for clicks that came too late for that
   inputs: new_clicks, store.current_clicks (rebuild)
   A click's validity depends on earlier clicks of the same user and campaign alone, so nothing before the first new one changes.
   Clicks of days that are partly removed (is_late) are judged among themselves: what was said of others stays. */
select row_number() over (order by user_id, campaign_id, is_late) as pair_id, user_id, user_hash, campaign_id, is_late, from_time
from (
  select user_id, user_hash, campaign_id, is_late, min(event_time) as from_time
  from (
    select user_id, user_hash, campaign_id, event_time, event_time < clicks_settled_from() as is_late from new_clicks
    union all
    select user_id, user_hash, campaign_id, event_time, false from store.current_clicks
    where event_time >= rebuild_from() and event_time >= clicks_settled_from()
  ) c
  group by user_id, user_hash, campaign_id, is_late
) p
