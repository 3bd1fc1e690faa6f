/* model: silver.events
   kind: view
   grain: one row an accepted event of any type: the unified schema
   inputs: silver.impressions, silver.clicks, silver.conversions, silver.bid_requests */
select event_key, 'impression' as event_type, event_time, report_date, user_id, campaign_id, creative_id, valid, invalid_reasons, source, position, batch_id, received_at from silver.impressions
union all
select event_key, 'click', event_time, report_date, user_id, campaign_id, creative_id, valid, invalid_reasons, source, position, batch_id, received_at from silver.clicks
union all
select event_key, 'conversion', event_time, report_date, user_id, campaign_id, creative_id, valid, invalid_reasons, source, position, batch_id, received_at from silver.conversions
union all
select event_key, 'bid_request', event_time, report_date, user_id, campaign_id, creative_id, valid, invalid_reasons, source, position, batch_id, received_at from silver.bid_requests
