/* model: match_scopes
   kind: work
   grain: one row a user, and campaign where that decides, with conversions to attribute, and the time in which their touches lie
   inputs: conversions_to_attribute */
select row_number() over (order by user_id, match_campaign_id) as scope_id, user_id, user_hash, match_campaign_id,
       from_micros(first_us - click_window_us()) as clicks_from,
       from_micros(first_us - impression_window_us()) as impressions_from,
       from_micros(last_us) as touches_to
from (
  select user_id, user_hash, match_campaign_id, min(event_us) as first_us, max(event_us) as last_us
  from conversions_to_attribute group by user_id, user_hash, match_campaign_id
) s
