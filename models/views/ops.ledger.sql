/* model: ops.ledger
   kind: view
   grain: one row a source, feed, batch and hour of receipt, with the outcomes of its records
   inputs: store.ledger */
select * from store.ledger where batch_id <= as_of()
