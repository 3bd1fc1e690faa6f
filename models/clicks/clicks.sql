/* model: store.clicks
   kind: append
   grain: one row a version of an accepted click
   inputs: new_clicks, click_verdicts, click_matches */
select n.*, v.valid, v.invalid_reasons, m.impression_key, this_batch() as since_batch
from new_clicks n
join click_verdicts v on v.event_key = n.event_key
join click_matches m on m.event_key = n.event_key
