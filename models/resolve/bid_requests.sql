/* model: store.bid_requests
   kind: append
   grain: one row an accepted bid request
   inputs: staged_bid_requests, rejected */
select s.* exclude (user_hash, key_hash, content_hash, stage_row),
       true as valid,
       cast(null as varchar) as invalid_reasons,
       this_batch() as batch_id,
       this_batch() as since_batch
from staged_bid_requests s
anti join rejected r on r.stage_row = s.stage_row
