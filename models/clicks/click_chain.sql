/* model: click_chain
   kind: work
   grain: one row a judged click that is not a bot's, numbered in time order, with where the next valid one may stand
   inputs: judged_clicks
   after_gap: the first click late enough not to be a double click of this one; after_day: the first one on a later UTC day. */
select pair_id, event_key, event_us, click_day,
       row_number() over (partition by pair_id order by event_us, event_key) as nth,
       1 + count(*) over (partition by pair_id order by event_us range between unbounded preceding and double_click_us() following) as after_gap,
       1 + count(*) over (partition by pair_id order by click_day range between unbounded preceding and current row) as after_day
from (select pair_id, event_key, event_us, int_div(event_us, 86400000000) as click_day from judged_clicks where not bot) j
