/* model: restated_clicks
   kind: work
   grain: one row an earlier click that this batch gives another validity or another impression
   inputs: store.current_clicks, click_verdicts, click_matches */
select * from (
  select c.event_key, c.since_batch, c.valid as old_valid,
         case when v.event_key is null then c.valid else v.valid end as valid,
         case when v.event_key is null then c.invalid_reasons else v.invalid_reasons end as invalid_reasons,
         case when m.event_key is null then c.impression_key else m.impression_key end as impression_key,
         c.invalid_reasons as old_invalid_reasons, c.impression_key as old_impression_key
  from store.current_clicks c
  left join click_verdicts v on v.event_key = c.event_key
  left join click_matches m on m.event_key = c.event_key
  where c.event_key in (select event_key from click_verdicts union all select event_key from click_matches)
) n
where n.valid <> n.old_valid
   or n.invalid_reasons is distinct from n.old_invalid_reasons
   or n.impression_key is distinct from n.old_impression_key
