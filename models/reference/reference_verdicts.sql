/* model: reference_verdicts
   kind: work
   grain: one row a staged record of reference data, with whether it changes anything
   inputs: staged_campaigns, staged_creatives, staged_users, staged_currency_rates, and what holds of each now
   Records with one key count in their order; one that says what holds already is a duplicate. */
with staged as (
  select stage_row, event_key, content_hash, source, position from staged_campaigns
  union all select stage_row, event_key, content_hash, source, position from staged_creatives
  union all select stage_row, event_key, content_hash, source, position from staged_users
  union all select stage_row, event_key, content_hash, source, position from staged_currency_rates
), held as (
  select event_key, content_hash from store.current_campaigns
  union all select event_key, content_hash from store.current_creatives
  union all select event_key, content_hash from store.current_users
  union all select event_key, content_hash from store.current_currency_rates
), placed as (
  select s.stage_row, s.source, s.content_hash,
         coalesce(lag(s.content_hash) over (partition by s.event_key order by s.source, s.position), h.content_hash) as before
  from staged s left join held h on h.event_key = s.event_key
)
select stage_row, source, case when content_hash = before then 'duplicate' else 'accepted' end as verdict from placed
