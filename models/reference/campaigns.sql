/* model: store.campaigns
   kind: append
   grain: one row a record of reference data that changed something
   inputs: staged_campaigns, reference_verdicts */
select s.* exclude (stage_row), this_batch() as batch_id
from staged_campaigns s join reference_verdicts v on v.stage_row = s.stage_row
where v.verdict = 'accepted'
