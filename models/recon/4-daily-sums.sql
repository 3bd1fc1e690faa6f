/* model: daily-sums
   kind: check
   grain: one row a table of daily sums and reporting day whose impressions or bid requests are not those of the facts
   equation: sum of daily = sum of the facts
   Sums outlive their facts: only days of which both are kept are compared. */
with since as (
  select coalesce(max(case when table_name in ('impressions', 'gold') then kept_from end), date '0001-01-01') as impressions,
         coalesce(max(case when table_name in ('bid_requests', 'gold') then kept_from end), date '0001-01-01') as bid_requests
  from store.kept
), impression as (
  select report_date, count(*) as amount from store.current_impressions group by report_date
), bid as (
  select report_date, count(*) as amount from silver.bid_requests group by report_date
), fact as (
  select 'campaign_daily' as table_name, report_date, amount from impression
  union all select 'creative_daily', report_date, amount from impression
  union all select 'website_daily', report_date, amount from impression
  union all select 'auction_daily', report_date, amount from bid
), daily as (
  select 'campaign_daily' as table_name, report_date, sum(impressions) as amount from gold.campaign_daily group by report_date
  union all select 'creative_daily', report_date, sum(impressions) from gold.creative_daily group by report_date
  union all select 'website_daily', report_date, sum(impressions) from gold.website_daily group by report_date
  union all select 'auction_daily', report_date, sum(bid_requests) from gold.auction_daily group by report_date
)
select coalesce(d.table_name, f.table_name) as table_name, coalesce(d.report_date, f.report_date) as report_date,
       coalesce(d.amount, 0) as stored, coalesce(f.amount, 0) as facts, coalesce(d.amount, 0) - coalesce(f.amount, 0) as difference
from daily d full join fact f on f.table_name = d.table_name and f.report_date = d.report_date
cross join since
where coalesce(d.amount, 0) <> coalesce(f.amount, 0)
  and coalesce(d.report_date, f.report_date) >= case when coalesce(d.table_name, f.table_name) = 'auction_daily' then since.bid_requests else since.impressions end
