/* model: store.key_filters
   kind: append
   grain: one row a complete run of identities, and slot: the leading 14 bits of the key hash
   inputs: store.identities
   What tells for most keys that a run does not hold them, in a fifth of the bytes and a fiftieth of the rows. */
select filtered_run() as run, key_slot(key_hash) as slot, array_agg(key_fingerprint(key_hash)) as fingerprints, this_batch() as batch_id
from store.identities
where run = filtered_run()
group by key_slot(key_hash)
