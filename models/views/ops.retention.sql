/* model: ops.retention
   kind: view
   grain: one row a table of which days were removed (`gold`: of all sums), with the first day that is kept since
   inputs: store.kept */
select table_name, max(kept_from) as kept_from, max(batch_id) as batch_id from store.kept group by table_name
