/* model: accepted
   kind: check
   grain: one row a feed and batch whose accepted records are not all in silver, or more than once
   equation: rows in silver = sum of accepted in the ledger */
with kept as (
  select 'ad-impressions' as feed, batch_id, count(*) as events from silver.impressions group by batch_id
  union all select 'clicks-conversions', batch_id, count(*) from (select batch_id from silver.clicks union all select batch_id from silver.conversions) c group by batch_id
  union all select 'bid-requests', batch_id, count(*) from silver.bid_requests group by batch_id
), said as (
  select feed, batch_id, sum(accepted) as accepted from ops.ledger
  where feed in ('ad-impressions', 'clicks-conversions', 'bid-requests') group by feed, batch_id
)
select coalesce(k.feed, s.feed) as feed, coalesce(k.batch_id, s.batch_id) as batch_id,
       coalesce(k.events, 0) as silver_rows, coalesce(s.accepted, 0) as ledger_accepted, coalesce(k.events, 0) - coalesce(s.accepted, 0) as difference
from kept k full join said s on s.feed = k.feed and s.batch_id = k.batch_id
where coalesce(k.events, 0) <> coalesce(s.accepted, 0)
