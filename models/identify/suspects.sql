/* model: suspects
   kind: work
   grain: one row a key hash that more than one staged record has, or a record of an earlier batch
   inputs: staged_identities, store.identities
   A 64-bit hash picks the few records that need an exact look; all others are new and go straight on. */
select key_hash from staged_identities group by key_hash having count(*) > 1
union
select key_hash from store.identities where key_hash in (select key_hash from staged_identities)
