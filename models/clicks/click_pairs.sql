/* model: click_pairs
   kind: work
   grain: one row a user and campaign with a new click, and from when on its clicks must be judged again
   inputs: new_clicks
   A click's validity depends on earlier clicks of the same user and campaign alone, so nothing before the first new one changes. */
select row_number() over (order by user_id, campaign_id) as pair_id, user_id, user_hash, campaign_id, from_time
from (select user_id, user_hash, campaign_id, min(event_time) as from_time from new_clicks group by user_id, user_hash, campaign_id) p
