/* model: store.current_creative_daily
   kind: view
   grain: what one batch, or several that were folded together, added to a reporting day, creative and campaign, as of as_of()
   inputs: store.creative_daily, store.creative_daily_folded, store.readable
   Where sums cannot be read as of that batch any more, reading them fails. */
select * from store.creative_daily
where batch_id <= as_of() and (select is_readable from store.readable)
union all by name
select * exclude (until_batch) from store.creative_daily_folded
where batch_id <= as_of() and until_batch > as_of() and (select is_readable from store.readable)
