/* model: click_verdicts
   kind: work
   grain: one row a judged click with its validity and the reasons against it
   inputs: judged_clicks, valid_clicks, click_seeds */
with judged as (
  select j.pair_id, j.event_key, j.event_us, j.bot, v.event_key is not null as valid,
         greatest(coalesce(s.last_valid_us, -1),
                  coalesce(max(case when v.event_key is not null then j.event_us end) over (
                    partition by j.pair_id order by j.event_us, j.event_key rows between unbounded preceding and 1 preceding), -1)) as last_valid_us
  from judged_clicks j
  left join valid_clicks v on v.event_key = j.event_key
  left join click_seeds s on s.pair_id = j.pair_id
), reasoned as (
  select event_key, valid, bot, not valid and last_valid_us >= 0 and event_us - last_valid_us <= double_click_us() as double_click
  from judged
)
select event_key, valid,
       case when valid then null
            when bot and double_click then 'bot_user_agent,double_click'
            when bot then 'bot_user_agent'
            when double_click then 'double_click'
            else 'click_flood' end as invalid_reasons
from reasoned
