/* model: valid_clicks
   kind: work
   grain: one row a judged click that is valid
   inputs: click_chain, click_seeds
   Walks each chain from valid click to valid click, so a walk takes at most as many steps as there are valid clicks. */
with recursive start as (
  select c.pair_id,
         coalesce(s.seed_day, -1) as seed_day, coalesce(s.valid_that_day, 0) as valid_that_day,
         1 + count(case when c.event_us <= s.last_valid_us + double_click_us() then 1 end) as after_gap,
         1 + count(case when c.event_us <= s.last_valid_us + double_click_us() or c.click_day <= s.seed_day then 1 end) as after_gap_and_day
  from click_chain c left join click_seeds s on s.pair_id = c.pair_id
  group by c.pair_id, s.seed_day, s.valid_that_day
), walk as (
  select c.pair_id, c.event_key, c.click_day, c.nth, c.after_gap, c.after_day,
         case when c.click_day = s.seed_day then s.valid_that_day + 1 else 1 end as valid_that_day
  from start s
  join click_chain c on c.pair_id = s.pair_id
   and c.nth = case when s.valid_that_day >= click_flood_per_day() then s.after_gap_and_day else s.after_gap end
  union all
  select c.pair_id, c.event_key, c.click_day, c.nth, c.after_gap, c.after_day,
         case when c.click_day = w.click_day then w.valid_that_day + 1 else 1 end as valid_that_day
  from walk w
  join click_chain c on c.pair_id = w.pair_id
   and c.nth = case when w.valid_that_day >= click_flood_per_day() then greatest(w.after_gap, w.after_day) else w.after_gap end
)
select pair_id, event_key from walk
