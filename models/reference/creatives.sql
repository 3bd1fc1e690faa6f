/* model: store.creatives
   kind: append
   grain: one row a record of reference data that changed something
   inputs: staged_creatives, reference_verdicts */
select s.* exclude (stage_row), this_batch() as batch_id
from staged_creatives s join reference_verdicts v on v.stage_row = s.stage_row
where v.verdict = 'accepted'
