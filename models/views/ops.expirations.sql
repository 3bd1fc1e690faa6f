/* model: ops.expirations
   kind: view
   grain: one row a table and day whose rows a batch removed because they had been kept for long enough
   inputs: store.expirations, store.batches */
select e.table_name, e.day, cast(sum(e.rows) as bigint) as rows, e.batch_id, max(b.committed_at) as expired_at
from store.expirations e left join store.batches b on b.batch_id = e.batch_id
where e.batch_id <= as_of()
group by e.table_name, e.day, e.batch_id
