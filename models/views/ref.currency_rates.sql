/* model: ref.currency_rates
   kind: view
   grain: one row a rate_date and currency
   inputs: store.current_currency_rates */
select * exclude (event_key, content_hash) from store.current_currency_rates
