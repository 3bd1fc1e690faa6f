/* model: ops.files
   kind: view
   grain: one row a file and feed it was taken for
   inputs: store.files */
select * exclude (recency) from (
  select f.*, row_number() over (partition by feed, sha256 order by batch_id desc) as recency from store.files f where batch_id <= as_of()
) ranked where recency = 1
