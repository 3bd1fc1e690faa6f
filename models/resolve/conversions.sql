/* model: store.conversions
   kind: append
   grain: one row an accepted conversion
   inputs: staged_conversions, rejected
   A bot's conversion is flagged, yet counted and attributed: credit always sums to conversions. */
select s.* exclude (key_hash, content_hash, stage_row, bot),
       not s.bot as valid,
       case when s.bot then 'bot_user_agent' end as invalid_reasons,
       this_batch() as batch_id,
       this_batch() as since_batch
from staged_conversions s
anti join rejected r on r.stage_row = s.stage_row
