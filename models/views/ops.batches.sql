/* model: ops.batches
   kind: view
   grain: one row a committed batch
   inputs: store.batches */
select * from store.batches where batch_id <= as_of()
