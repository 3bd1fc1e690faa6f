/* model: store.current_currency_rates
   kind: view
   grain: one row a rate_date and currency: the one committed last, as of as_of()
   inputs: store.currency_rates */
select * exclude (recency) from (
  select f.*, row_number() over (partition by rate_date, currency order by batch_id desc, source desc, position desc) as recency
  from store.currency_rates f where f.batch_id <= as_of()
) ranked
where recency = 1
