/* model: restated_conversions
   kind: work
   grain: one row an earlier conversion whose attribution differs from what it was
   inputs: new_attribution, store.current_attribution */
with was as (
  select * exclude (since_batch) from store.current_attribution
  where conversion_key in (select conversion_key from new_attribution where not is_new)
), holds as (
  select * exclude (is_new) from new_attribution where not is_new
), differing as (
  select conversion_key from (select * from was except select * from holds) gone
  union
  select conversion_key from (select * from holds except select * from was) come
)
select d.conversion_key, min(a.since_batch) as since_batch
from differing d
join store.current_attribution a on a.conversion_key = d.conversion_key
group by d.conversion_key
