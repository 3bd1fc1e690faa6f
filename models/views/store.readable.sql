/* model: store.readable
   kind: view
   grain: one row; reading it fails where sums cannot be read as of as_of()
   inputs: store.folds */
select count(case when as_of() between first_batch and last_batch then refuse_folded(first_batch, last_batch) end) = 0 as is_readable
from store.folds
