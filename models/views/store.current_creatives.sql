/* model: store.current_creatives
   kind: view
   grain: one row a creative_id and valid_from: the one committed last, as of as_of()
   inputs: store.creatives */
select * exclude (recency) from (
  select f.*, row_number() over (partition by creative_id, valid_from order by batch_id desc, source desc, position desc) as recency
  from store.creatives f where f.batch_id <= as_of()
) ranked
where recency = 1
