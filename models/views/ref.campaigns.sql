/* model: ref.campaigns
   kind: view
   grain: one row a campaign_id
   inputs: store.current_campaigns */
select * exclude (content_hash) from store.current_campaigns
