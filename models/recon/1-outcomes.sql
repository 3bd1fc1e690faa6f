/* model: outcomes
   kind: check
   grain: one row a source, batch and hour of receipt whose records do not each have one outcome
   equation: received = accepted + duplicate + quarantined */
select feed, source, batch_id, hour, received, accepted, duplicate, quarantined,
       received - accepted - duplicate - quarantined as difference
from ops.ledger
where received <> accepted + duplicate + quarantined
