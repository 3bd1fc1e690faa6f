/* model: store.clicks
   kind: append
   grain: one row a version of an accepted click
   inputs: store.clicks, restated_clicks */
select c.* exclude (valid, invalid_reasons, impression_key, since_batch),
       r.valid, r.invalid_reasons, r.impression_key, this_batch() as since_batch
from store.clicks c
join restated_clicks r on r.event_key = c.event_key and r.since_batch = c.since_batch
