/* model: store.quarantine
   kind: append
   grain: one row a record that broke its contract
   inputs: staged_quarantine */
select s.*, this_batch() as batch_id from staged_quarantine s
