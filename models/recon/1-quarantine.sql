/* model: quarantine
   kind: check
   grain: one row a feed and source whose quarantine does not hold the records that the ledger says it holds
   equation: sum of quarantined in the ledger = rows in quarantine that are not replayed */
select coalesce(l.feed, q.feed) as feed, coalesce(l.source, q.source) as source,
       coalesce(l.quarantined, 0) as ledger_quarantined, coalesce(q.held, 0) as quarantine_rows,
       coalesce(l.quarantined, 0) - coalesce(q.held, 0) as difference
from (select feed, source, sum(quarantined) as quarantined from ops.ledger group by feed, source) l
full join (select feed, source, count(*) as held from ops.quarantine where replayed_at is null group by feed, source) q
  on q.feed = l.feed and q.source = l.source
where coalesce(l.quarantined, 0) <> coalesce(q.held, 0)
