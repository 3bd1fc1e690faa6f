/* model: store.current_users
   kind: view
   grain: one row a user_id: the one committed last, as of as_of()
   inputs: store.users */
select * exclude (recency) from (
  select f.*, row_number() over (partition by user_id order by batch_id desc, source desc, position desc) as recency
  from store.users f where f.batch_id <= as_of()
) ranked
where recency = 1
