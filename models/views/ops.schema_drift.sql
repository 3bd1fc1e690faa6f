/* model: ops.schema_drift
   kind: view
   grain: one row a feed, batch and field that its contract does not know
   inputs: store.schema_drift */
select * from store.schema_drift where batch_id <= as_of()
