/* model: store.impressions
   kind: append
   grain: one row a version of an accepted impression
   inputs: resolved_impressions */
select * exclude (user_hash) from resolved_impressions
