/* model: verdicts
   kind: work
   grain: one row a staged record whose key hash is suspect
   inputs: staged_identities, suspects, held
   The first record with a key stays; the same content again is a duplicate, other content a conflict. */
with candidate as (
  select s.stage_row, s.event_type, s.event_key, s.source, s.position, s.received_at, s.content_hash, held.content_hash as kept_content_hash,
         row_number() over (partition by s.event_key order by s.source, s.position) as nth,
         first_value(s.content_hash) over (partition by s.event_key order by s.source, s.position) as first_content_hash
  from staged_identities s
  semi join suspects on suspects.key_hash = s.key_hash
  left join held on held.event_key = s.event_key
)
select stage_row, event_type, event_key, source, position, received_at,
       case when kept_content_hash is null and nth = 1 then 'accepted'
            when content_hash = coalesce(kept_content_hash, first_content_hash) then 'duplicate'
            else 'id_conflict' end as verdict
from candidate
