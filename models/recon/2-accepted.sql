/* model: accepted
   kind: check
   grain: one row a feed and batch whose accepted records are not all in silver, or more than once
   equation: rows in silver = sum of accepted in the ledger - rows expired */
with kept as (
  select 'ad-impressions' as feed, batch_id, count(*) as events from silver.impressions group by batch_id
  union all select 'clicks-conversions', batch_id, count(*) from (select batch_id from silver.clicks union all select batch_id from silver.conversions) c group by batch_id
  union all select 'bid-requests', batch_id, count(*) from silver.bid_requests group by batch_id
), said as (
  select feed, batch_id, sum(accepted) as accepted from ops.ledger
  where feed in ('ad-impressions', 'clicks-conversions', 'bid-requests') group by feed, batch_id
), expired as (
  select feed, of_batch as batch_id, sum(rows) as expired from store.expirations
  where table_name in ('impressions', 'clicks', 'conversions', 'bid_requests') and of_batch <= as_of() group by feed, of_batch
), both_sides as (
  select feed, batch_id, events, 0 as accepted, 0 as expired from kept
  union all select feed, batch_id, 0, accepted, 0 from said
  union all select feed, batch_id, 0, 0, expired from expired
)
select feed, batch_id, sum(events) as silver_rows, sum(accepted) as ledger_accepted, sum(expired) as rows_expired,
       sum(events) + sum(expired) - sum(accepted) as difference
from both_sides
group by feed, batch_id
having sum(events) + sum(expired) <> sum(accepted)
