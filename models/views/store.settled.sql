/* model: store.settled
   kind: view
   grain: one row: from when on each thing can be judged again, as all that it takes is still kept
   inputs: store.kept
   clicks_from: double clicks and floods, which are judged by the click before and by UTC day. matches_from: the impression of a click.
   conversions_from: the touches of a conversion. What is earlier stays as it was said when all of it was there. */
select coalesce(from_micros(int_div(clicks_us + double_click_us() + 86399999999, 86400000000) * 86400000000), from_micros(0)) as clicks_from,
       coalesce(from_micros(impressions_us + click_to_impression_us()), from_micros(0)) as matches_from,
       from_micros(greatest(coalesce(clicks_us + click_window_us(), 0), coalesce(impressions_us + impression_window_us(), 0))) as conversions_from
from (
  select max(case when table_name = 'clicks' then micros(kept_from_time) end) as clicks_us,
         max(case when table_name = 'impressions' then micros(kept_from_time) end) as impressions_us
  from store.kept
) k
