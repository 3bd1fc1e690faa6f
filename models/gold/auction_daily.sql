/* model: store.auction_daily
   kind: append
   grain: what one batch adds to one reporting day, campaign and ad space
   inputs: store.bid_requests */
select report_date, campaign_id, space_id,
       count(*) as bid_requests, count(won) as bids_with_outcome, count(case when won then 1 end) as bids_won,
       cast(sum(amount_cpm_micros) as bigint) as amount_cpm_micros,
       cast(coalesce(sum(case when won then clearing_cpm_micros end), 0) as bigint) as clearing_cpm_micros,
       this_batch() as batch_id
from store.bid_requests
where since_batch = this_batch()
group by report_date, campaign_id, space_id
