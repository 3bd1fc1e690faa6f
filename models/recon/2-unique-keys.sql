/* model: unique-keys
   kind: check
   grain: one row an event key that stands more than once in a table of silver
   equation: event keys are unique */
select table_name, key_text(event_key) as event_key, copies as difference
from (
  select 'impressions' as table_name, event_key, count(*) as copies from store.current_impressions group by event_key
  union all select 'clicks', event_key, count(*) from store.current_clicks group by event_key
  union all select 'conversions', event_key, count(*) from store.conversions where since_batch <= as_of() group by event_key
  union all select 'bid_requests', event_key, count(*) from store.bid_requests where since_batch <= as_of() group by event_key
) counted
where copies > 1
