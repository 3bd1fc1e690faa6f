/* model: ops.restatements
   kind: view
   grain: one row a row that a batch took back because it knew more; what took its place has that batch as its since_batch
   inputs: store.retractions */
select table_name, key_text(row_key) as row_key, since_batch, batch_id, cause from store.retractions where batch_id <= as_of()
