/* model: daily-sums
   kind: check
   grain: one row a table of daily sums and reporting day whose impressions or bid requests are not those of the facts
   equation: sum of daily = sum of the facts */
with fact as (
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
where d.amount <> coalesce(f.impressions, 0)
union all
select 'auction_daily', a.report_date, a.amount, coalesce(b.bid_requests, 0), a.amount - coalesce(b.bid_requests, 0)
from (select report_date, sum(bid_requests) as amount from gold.auction_daily group by report_date) a left join bid b on b.report_date = a.report_date
where a.amount <> coalesce(b.bid_requests, 0)
