/* model: gold.campaign_report
   kind: view
   grain: one row a reporting day and campaign: the daily figures with their ratios, conversions by last touch
   inputs: gold.campaign_model_report */
select * exclude (model) from gold.campaign_model_report where model = 'last_touch'
