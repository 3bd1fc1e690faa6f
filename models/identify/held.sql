/* model: held
   kind: work
   grain: one row an event of an earlier batch whose key hash a staged event has too
   inputs: staged_identities, key_hits, store.identities
   The latest runs are searched in whole; of those before, the ones whose filters have a hit. */
select event_key, key_hash, content_hash from store.identities
where run >= searched_from() and key_hash in (select key_hash from staged_identities)
union all
select i.event_key, i.key_hash, i.content_hash from store.identities i
semi join key_hits h on h.run = i.run and h.key_hash = i.key_hash
where i.run < searched_from()
