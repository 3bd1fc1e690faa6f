/* model: ops.folds
   kind: view
   grain: one row a range of batches, both ends included, as of which sums (gold, but for attribution) cannot be read any more
   inputs: store.folds */
select * from store.folds
