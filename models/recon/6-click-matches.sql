/* model: click-matches
   kind: check
   grain: one row a click whose impression is not a valid one of the same user and campaign before it
   equation: clicks = matched + orphan
   An impression may be gone or changed where its click is too old to be matched anew. */
select key_text(c.event_key) as click_key, key_text(c.impression_key) as impression_key, 1 as difference
from store.current_clicks c
left join store.current_impressions i on i.event_key = c.impression_key
where c.impression_key is not null and c.event_time >= (select matches_from from store.settled)
  and (i.event_key is null or not i.valid or i.user_id <> c.user_id or i.campaign_id is distinct from c.campaign_id or i.event_time > c.event_time)
