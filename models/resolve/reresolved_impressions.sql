/* model: reresolved_impressions
   kind: work
   grain: one row an earlier impression that the reference data of this batch, or a rebuild, gives another campaign
   inputs: store.current_exposures, store.creatives, creative_periods */
select i.event_key, i.since_batch, c.campaign_id
from store.current_exposures i
left join creative_periods c
  on c.creative_id = i.creative_id and i.event_time >= c.period_start and i.event_time < c.period_end
where not i.campaign_given
  and i.since_batch < this_batch()
  and (i.event_time >= rebuild_from() or i.creative_id in (select creative_id from store.creatives where batch_id = this_batch()))
  and c.campaign_id is distinct from i.campaign_id
