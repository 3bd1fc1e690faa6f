/* model: store.current_attribution
   kind: view
   grain: one row a conversion and touch of its path (one without a touch where there is none), as of as_of()
   inputs: store.attribution, store.retractions */
select f.* from store.attribution f
where f.since_batch <= as_of()
  and not exists (
    select 1 from store.retractions r
    where r.table_name = 'attribution' and r.row_key = f.conversion_key and r.since_batch = f.since_batch and r.batch_id <= as_of()
  )
