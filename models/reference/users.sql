/* model: store.users
   kind: append
   grain: one row a record of reference data that changed something
   inputs: staged_users, reference_verdicts */
select s.* exclude (stage_row), this_batch() as batch_id
from staged_users s join reference_verdicts v on v.stage_row = s.stage_row
where v.verdict = 'accepted'
