/* model: click_pairs
   kind: work
   grain: one row a user and campaign with a new click, and from when on its clicks must be judged again
   inputs: new_clicks, store.current_clicks (rebuild)
   A click's validity depends on earlier clicks of the same user and campaign alone, so nothing before the first new one changes. */
select row_number() over (order by user_id, campaign_id) as pair_id, user_id, user_hash, campaign_id, from_time
from (
  select user_id, user_hash, campaign_id, min(event_time) as from_time
  from (
    select user_id, user_hash, campaign_id, event_time from new_clicks
    union all
    select user_id, user_hash, campaign_id, event_time from store.current_clicks where event_time >= rebuild_from()
  ) c
  group by user_id, user_hash, campaign_id
) p
