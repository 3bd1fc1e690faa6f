/* model: key_hits
   kind: work
   grain: one row a run with a filter, and key hash of a staged event that it may hold
   inputs: store.key_filters, staged_identities
   A fingerprint is 32 bits: hardly a hit is for nothing, of all that a batch of ten thousand asks the runs of a billion events. */
select distinct f.run, s.key_hash
from store.key_filters f
join staged_identities s on key_slot(s.key_hash) = f.slot and array_contains(f.fingerprints, key_fingerprint(s.key_hash))
where f.run < searched_from()
