/* model: store.current_campaign_hourly
   kind: view
   grain: what one batch, or several that were folded together, added to an hour (UTC) and campaign, as of as_of()
   inputs: store.campaign_hourly, store.campaign_hourly_folded, store.readable
   Where sums cannot be read as of that batch any more, reading them fails. */
select * from store.campaign_hourly
where batch_id <= as_of() and (select is_readable from store.readable)
union all by name
select * exclude (until_batch) from store.campaign_hourly_folded
where batch_id <= as_of() and until_batch > as_of() and (select is_readable from store.readable)
