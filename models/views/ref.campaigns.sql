/* model: ref.campaigns
   kind: view
   grain: one row a campaign_id
   inputs: store.current_campaigns */
select * exclude (event_key, content_hash) from store.current_campaigns
