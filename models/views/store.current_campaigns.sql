/* model: store.current_campaigns
   kind: view
   grain: one row a campaign_id: the one committed last, as of as_of()
   inputs: store.campaigns */
select * exclude (recency) from (
  select f.*, row_number() over (partition by campaign_id order by batch_id desc, source desc, position desc) as recency
  from store.campaigns f where f.batch_id <= as_of()
) ranked
where recency = 1
