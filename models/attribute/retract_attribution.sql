/* model: store.retractions
   kind: append
   grain: one row a version of a row that holds no longer; for attribution, of all the rows of a conversion
   inputs: restated_conversions */
select 'attribution' as table_name, conversion_key as row_key, since_batch, this_batch() as batch_id, this_cause() as cause from restated_conversions
