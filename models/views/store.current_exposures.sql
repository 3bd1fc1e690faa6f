/* model: store.current_exposures
   kind: view
   grain: one row an accepted impression, as of as_of(): what is matched, counted and restated of it
   inputs: store.exposures, store.retractions
   A version of an impression is taken back here and in store.impressions by one retraction. */
select f.*
from store.exposures f
anti join (
  select row_key, since_batch from store.retractions where table_name = 'impressions' and batch_id <= as_of()
) r on r.row_key = f.event_key and r.since_batch = f.since_batch
where f.since_batch <= as_of()
