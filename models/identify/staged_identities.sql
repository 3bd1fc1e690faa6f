/* model: staged_identities
   kind: work-view
   grain: one row a staged event of any type
   inputs: staged_impressions, staged_clicks, staged_conversions, staged_bid_requests */
select event_key, key_hash, content_hash, stage_row, source, position, received_at, 'impression' as event_type from staged_impressions
union all
select event_key, key_hash, content_hash, stage_row, source, position, received_at, 'click' from staged_clicks
union all
select event_key, key_hash, content_hash, stage_row, source, position, received_at, 'conversion' from staged_conversions
union all
select event_key, key_hash, content_hash, stage_row, source, position, received_at, 'bid_request' from staged_bid_requests
