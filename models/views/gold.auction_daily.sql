/* model: gold.auction_daily
   kind: view
   grain: one row a reporting day, campaign and ad space
   inputs: store.current_auction_daily */
select report_date, campaign_id, space_id,
       cast(sum(bid_requests) as bigint) as bid_requests,
       cast(sum(bids_with_outcome) as bigint) as bids_with_outcome,
       cast(sum(bids_won) as bigint) as bids_won,
       cast(sum(amount_cpm_micros) as bigint) as amount_cpm_micros,
       cast(sum(clearing_cpm_micros) as bigint) as clearing_cpm_micros
from store.current_auction_daily
group by report_date, campaign_id, space_id having sum(bid_requests) <> 0
