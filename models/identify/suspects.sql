/* model: suspects
   kind: work
   grain: one row a key hash that more than one staged record has, or a record of an earlier batch
   inputs: staged_identities, held
   A 64-bit hash picks the few records that need an exact look; all others are new and go straight on. */
select key_hash from (select key_hash, lag(key_hash) over (order by key_hash) as previous from staged_identities) s where key_hash = previous
union
select key_hash from held
