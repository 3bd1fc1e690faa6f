/* model: gold.attribution
   kind: view
   grain: one row a conversion and touch of its path; touch_key is NULL where the conversion is unattributed
   inputs: store.current_attribution */
select key_text(conversion_key) as conversion_key, conversion_time, conversion_date, key_text(touch_key) as touch_key,
       * exclude (conversion_key, conversion_time, conversion_date, touch_key, user_hash, since_batch)
from store.current_attribution
