/* model: validity
   kind: check
   grain: one row an event that is neither valid nor invalid for a reason
   equation: gross = valid + invalid; each invalid row has a reason, no valid one has */
select event_type, event_key, valid, invalid_reasons, 1 as difference
from silver.events
where valid is null or (valid and invalid_reasons is not null) or (not valid and coalesce(invalid_reasons, '') = '')
