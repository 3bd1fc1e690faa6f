/* model: click_seeds
   kind: work
   grain: one row a pair with valid clicks before the judged ones: its last valid click, and how many there are that UTC day
   inputs: click_pairs, store.current_clicks
   Clicks on earlier days, and too long before for a double click, have no say. */
select p.pair_id,
       max(micros(c.event_time)) as last_valid_us,
       int_div(micros(p.from_time), 86400000000) as seed_day,
       count(case when int_div(micros(c.event_time), 86400000000) = int_div(micros(p.from_time), 86400000000) then 1 end) as valid_that_day
from store.current_clicks c
join click_pairs p on p.user_hash = c.user_hash and p.user_id = c.user_id and p.campaign_id = c.campaign_id and c.event_time < p.from_time
where c.valid
  and c.event_time < (select max(from_time) from click_pairs)
  and c.event_time >= (select from_micros(min(least(int_div(micros(from_time), 86400000000) * 86400000000, micros(from_time) - double_click_us()))) from click_pairs)
group by p.pair_id, p.from_time
