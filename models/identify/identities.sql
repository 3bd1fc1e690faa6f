/* model: store.identities
   kind: append
   grain: one row an accepted event, of any type
   inputs: staged_identities, rejected */
select s.event_key, s.key_hash, s.content_hash, this_run() as run, this_batch() as batch_id
from staged_identities s
anti join rejected r on r.stage_row = s.stage_row
