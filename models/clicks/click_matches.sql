/* model: click_matches
   kind: work
   grain: one row a click to match, with the latest valid impression of its user and campaign within the window (NULL: orphan)
   inputs: clicks_to_match, store.current_exposures
   Impressions and clicks stand in one order of time; the last impression before a click is its match, however many there are. */
with pair as (
  select user_id, user_hash, user_check(user_id) as user_check, campaign_id,
         from_micros(min(micros(event_time)) - click_to_impression_us()) as from_time, max(event_time) as to_time
  from clicks_to_match group by user_id, user_hash, campaign_id
), timeline as (
  select p.user_id, p.campaign_id, micros(i.event_time) as event_us, 0 as click, i.event_key, i.event_key as impression_key, micros(i.event_time) as impression_us
  from store.current_exposures i
  join pair p on p.user_hash = i.user_hash and p.user_check = i.user_check and p.campaign_id = i.campaign_id
   and i.event_time > p.from_time and i.event_time <= p.to_time
  where i.valid
    and i.event_time > (select min(from_time) from pair) and i.event_time <= (select max(to_time) from pair)
  union all
  select user_id, campaign_id, micros(event_time), 1, event_key, null, null from clicks_to_match
), placed as (
  select event_key, event_us, click,
         last_value(impression_key ignore nulls) over latest as impression_key,
         last_value(impression_us ignore nulls) over latest as impression_us
  from timeline
  window latest as (partition by user_id, campaign_id order by event_us, click, event_key rows between unbounded preceding and current row)
)
select event_key, case when event_us - impression_us < click_to_impression_us() then impression_key end as impression_key
from placed where click = 1
