/* model: judged_clicks
   kind: work
   grain: one row a click, new or earlier, whose validity is judged in this batch
   inputs: new_clicks, click_pairs, store.current_clicks */
select p.pair_id, n.event_key, micros(n.event_time) as event_us, n.bot
from new_clicks n join click_pairs p on p.user_id = n.user_id and p.campaign_id = n.campaign_id
 and p.is_late = (n.event_time < clicks_settled_from())
union all
select p.pair_id, c.event_key, micros(c.event_time) as event_us, c.bot
from store.current_clicks c
join click_pairs p on p.user_hash = c.user_hash and p.user_id = c.user_id and p.campaign_id = c.campaign_id and c.event_time >= p.from_time
where not p.is_late and c.event_time >= (select min(from_time) from click_pairs where not is_late)
