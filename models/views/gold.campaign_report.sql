/* model: gold.campaign_report
   kind: view
   grain: one row a reporting day and campaign: the daily figures with their ratios, conversions by last touch
   inputs: gold.campaign_model_report */
select * exclude (model, spend_e12), cast(round(spend_e12 / 1000000) as bigint) as spend_micros
from gold.campaign_model_report where model = 'last_touch'
