/* model: store.retractions
   kind: append
   grain: one row a version of a row that holds no longer
   inputs: restated_clicks */
select 'clicks' as table_name, event_key as row_key, since_batch, this_batch() as batch_id, this_cause() as cause from restated_clicks
