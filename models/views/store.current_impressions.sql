/* model: store.current_impressions
   kind: view
   grain: one row an accepted impression, as of as_of()
   inputs: store.impressions, store.retractions */
select f.* from store.impressions f
where f.since_batch <= as_of()
  and not exists (
    select 1 from store.retractions r
    where r.table_name = 'impressions' and r.row_key = f.event_key and r.since_batch = f.since_batch and r.batch_id <= as_of()
  )
