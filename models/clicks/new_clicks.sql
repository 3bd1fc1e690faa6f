/* model: new_clicks
   kind: work
   grain: one row a click accepted by this batch
   inputs: staged_clicks, rejected */
select s.* exclude (key_hash, content_hash, stage_row), this_batch() as batch_id
from staged_clicks s
anti join rejected r on r.stage_row = s.stage_row
