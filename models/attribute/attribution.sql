/* model: store.attribution
   kind: append
   grain: one row a version of a conversion's path, and touch of it
   inputs: new_attribution, restated_conversions */
select n.* exclude (is_new), this_batch() as since_batch
from new_attribution n
where n.is_new or n.conversion_key in (select conversion_key from restated_conversions)
