/* model: daily-sums
   kind: check
   grain: one row a table of daily sums and reporting day whose impressions or bid requests are not those of the facts
   equation: sum of daily = sum of the facts
   Sums outlive their facts: only days of which both are kept are compared. */
with since as (
  select coalesce(max(case when table_name in ('impressions', 'gold') then kept_from end), date '0001-01-01') as impressions,
         coalesce(max(case when table_name in ('bid_requests', 'gold') then kept_from end), date '0001-01-01') as bid_requests
  from store.kept
), fact as (
  select report_date, count(*) as impressions from store.current_impressions group by report_date
), bid as (
  select report_date, count(*) as bid_requests from silver.bid_requests group by report_date
), daily as (
  select 'campaign_daily' as table_name, report_date, sum(impressions) as amount from gold.campaign_daily group by report_date
  union all select 'creative_daily', report_date, sum(impressions) from gold.creative_daily group by report_date
  union all select 'website_daily', report_date, sum(impressions) from gold.website_daily group by report_date
)
select d.table_name, d.report_date, d.amount as stored, coalesce(f.impressions, 0) as facts, d.amount - coalesce(f.impressions, 0) as difference
from daily d left join fact f on f.report_date = d.report_date
where d.amount <> coalesce(f.impressions, 0) and d.report_date >= (select impressions from since)
union all
select 'auction_daily', a.report_date, a.amount, coalesce(b.bid_requests, 0), a.amount - coalesce(b.bid_requests, 0)
from (select report_date, sum(bid_requests) as amount from gold.auction_daily group by report_date) a left join bid b on b.report_date = a.report_date
where a.amount <> coalesce(b.bid_requests, 0) and a.report_date >= (select bid_requests from since)
