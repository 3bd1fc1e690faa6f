/* model: quarantine
   kind: check
   grain: one row a feed and source whose quarantine does not hold the records that the ledger says it holds
   equation: sum of quarantined in the ledger = rows in quarantine that are not replayed + rows expired */
with both_sides as (
  select feed, source, quarantined, 0 as held, 0 as expired from ops.ledger
  union all select feed, source, 0, 1, 0 from ops.quarantine where replayed_at is null
  union all select feed, source, 0, 0, rows from store.expirations where table_name = 'quarantine' and of_batch <= as_of()
)
select feed, source, sum(quarantined) as ledger_quarantined, sum(held) as quarantine_rows, sum(expired) as rows_expired,
       sum(quarantined) - sum(held) - sum(expired) as difference
from both_sides
group by feed, source
having sum(quarantined) <> sum(held) + sum(expired)
