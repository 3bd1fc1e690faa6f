/* model: resolved_impressions
   kind: work-view
   grain: one row an accepted impression of this batch
   inputs: staged_impressions, rejected, creative_periods
   The campaign is the one the record names, else its creative's at the time of the event, else NULL. */
select s.* exclude (key_hash, content_hash, stage_row, bot, campaign_id),
       s.campaign_id is not null as campaign_given,
       coalesce(s.campaign_id, c.campaign_id) as campaign_id,
       not s.bot as valid,
       case when s.bot then 'bot_user_agent' end as invalid_reasons,
       this_batch() as batch_id,
       this_batch() as since_batch
from staged_impressions s
anti join rejected r on r.stage_row = s.stage_row
left join creative_periods c
  on c.creative_id = case when s.campaign_id is null then s.creative_id end
 and s.event_time >= c.period_start and s.event_time < c.period_end
