/* model: gold.campaign_model_report
   kind: view
   grain: one row a reporting day, campaign and attribution model
   inputs: gold.campaign_daily, gold.user_campaign_daily, ref.campaigns, store.kept
   spend_e12 is exact, in 10^-12 currency units; ratios are quotients of sums, NULL on a zero denominator.
   Reach is counted from impressions: where those are removed, nobody knows it any more.
   CPM pricing takes each valid impression's own price, and the campaign's rate for those without one. */
with credited as (
  select d.*, m.model,
         case m.model when 'last_touch' then last_touch_ppm when 'first_touch' then first_touch_ppm when 'linear' then linear_ppm
                      when 'position_based' then position_based_ppm else time_decay_ppm end as conversions_ppm,
         case m.model when 'last_touch' then last_touch_value_micros when 'first_touch' then first_touch_value_micros when 'linear' then linear_value_micros
                      when 'position_based' then position_based_value_micros else time_decay_value_micros end as value_micros,
         case m.model when 'last_touch' then last_touch_click_ppm when 'first_touch' then first_touch_click_ppm when 'linear' then linear_click_ppm
                      when 'position_based' then position_based_click_ppm else time_decay_click_ppm end as click_conversions_ppm
  from gold.campaign_daily d
  cross join (select 'last_touch' as model union all select 'first_touch' union all select 'linear' union all select 'position_based' union all select 'time_decay') m
), spent as (
  select c.*, r.name as campaign_name, r.pricing_model,
         spend_e12(r.pricing_model, r.rate_micros, cost_cpm_micros, valid_impressions, priced_impressions, valid_clicks, conversions_ppm) as spend_e12
  from credited c left join ref.campaigns r on r.campaign_id = c.campaign_id
), reached as (
  select report_date, campaign_id, count(*) as reach from gold.user_campaign_daily group by report_date, campaign_id
), known as (
  select coalesce(max(kept_from), date '0001-01-01') as reach_from from store.kept where table_name = 'impressions'
)
select s.report_date, s.campaign_id, s.campaign_name, s.pricing_model, s.model,
       impressions, valid_impressions, clicks, valid_clicks, bid_requests, bids_with_outcome, bids_won, conversions,
       conversions_ppm, click_conversions_ppm, value_micros, spend_e12, case when s.report_date >= known.reach_from then coalesce(reach, 0) end as reach,
       ratio(valid_clicks, valid_impressions) as ctr,
       ratio(click_conversions_ppm, valid_clicks) / 1000000 as cvr,
       ratio(spend_e12, 1000000000000) as spend,
       ratio(spend_e12, conversions_ppm) / 1000000 as cpa,
       ratio(spend_e12, valid_clicks) / 1000000000000 as cpc,
       ratio(spend_e12, valid_impressions) / 1000000000 as ecpm,
       ratio(cast(value_micros as decimal(38, 0)) * 1000000, spend_e12) as roas,
       ratio(bids_won, bids_with_outcome) as win_rate,
       case when s.report_date >= known.reach_from then ratio(valid_impressions, reach) end as frequency
from spent s
cross join known
left join reached r on r.report_date = s.report_date and r.campaign_id is not distinct from s.campaign_id
