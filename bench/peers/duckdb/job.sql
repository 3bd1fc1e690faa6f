/* The smaller job as a DuckDB expert writes it: an in-memory database, each table materialised once and typed on the way in.

   in   variables impressions, clicks_conversions, creatives (globs); the view bid_arrow over the decoded Avro files (job.py)
   out  impressions, clicks, conversions, bid_requests (valid and deduplicated), attribution, campaign_hourly

   Two things make it fast. Deduplication looks for hashes that occur twice and compares the ids of those rows only, a fifth
   of what DISTINCT ON costs. Clicks meet impressions by a hash join and max(), two to three times faster than ASOF JOIN. */

set preserve_insertion_order = false;
set timezone = 'UTC';

/* Null spellings of the feeds. An IN list this long becomes a join; few texts are short enough to be compared at all. */
create macro given(x) as
case when strlen(x) > 4 then x else nullif(nullif(nullif(nullif(nullif(nullif(x, ''), 'null'), 'NULL'), '-'), 'n/a'), 'N/A') end;

/* Most times are RFC 3339 in UTC, and the cast to TIMESTAMP reads those; it ignores offsets, which TIMESTAMPTZ minds at four times
   the cost. Digits go by magnitude; a double holds their microseconds. */
create macro epoch_instant(n) as make_timestamp(cast(round(case when n >= 1e14 then n when n >= 1e11 then n * 1e3 else n * 1e6 end) as bigint));
create macro instant(x) as
case when x like '%Z' then try_cast(x as timestamp)
     when x like '____-%' then try_cast(upper(x) as timestamptz) at time zone 'UTC'
     else epoch_instant(try_cast(x as double)) end;

create macro in_range(t) as t >= timestamp '2000-01-01' and t < timestamp '2100-01-01';

/* 1. Read, validate, drop what is bad. A line that is no JSON gives NULL in every column under ignore_errors, and falls to the WHERE. */
create temp table creative as
select creative_id, campaign_id, coalesce(valid_from, timestamp '1900-01-01') as valid_from,
       coalesce(lead(valid_from) over (partition by creative_id order by valid_from nulls first), timestamp '9999-01-01') as valid_to
from read_csv(getvariable('creatives'), header = true, columns = {creative_id: 'VARCHAR', campaign_id: 'VARCHAR', name: 'VARCHAR', format: 'VARCHAR', valid_from: 'TIMESTAMP'});

/* A table of its own: as a subquery, the optimiser would work out the time once for the WHERE and once more for the SELECT. */
create temp table impression_line as
select given(impression_id) as impression_id, instant("timestamp") as event_time, given(user_id) as user_id, given(creative_id) as creative_id,
       given(campaign_id) as campaign_id, given(website) as website, given(price) as price, try_cast(price as decimal(18, 6)) as amount, given(currency) as currency
from read_json(getvariable('impressions'), format = 'newline_delimited', ignore_errors = true, columns = {
       impression_id: 'VARCHAR', "timestamp": 'VARCHAR', user_id: 'VARCHAR', creative_id: 'VARCHAR', campaign_id: 'VARCHAR', website: 'VARCHAR',
       price: 'VARCHAR', currency: 'VARCHAR'});

create table impressions as
select coalesce(impression_id, concat_ws('|', user_id, i.creative_id, epoch_us(event_time), website)) as event_id, hash(event_id) as event_hash,
       event_time, user_id, i.creative_id, coalesce(i.campaign_id, c.campaign_id) as campaign_id, lower(website) as website,
       cast(amount * 1000000 as bigint) as price_cpm_micros, currency
from impression_line i left join creative c on c.creative_id = i.creative_id and event_time >= valid_from and event_time < valid_to
where user_id is not null and i.creative_id is not null and website is not null and in_range(event_time) and (price is null or amount >= 0);
drop table impression_line;

/* Told its columns, the reader does not guess them from files whose first rows may be broken. */
create temp table click_conversion as
select given(event_id) as given_id, instant("timestamp") as event_time, user_id, given(campaign_id) as campaign_id, given(creative_id) as creative_id,
       coalesce(given(event_type), case when coalesce(given(conversion_type), 'click') = 'click' then 'click' else 'conversion' end) as event_type,
       given(conversion_type) as conversion_type, given(order_id) as order_id, given(value) as value, try_cast(value as decimal(18, 6)) as amount,
       given(currency) as currency
from read_csv(getvariable('clicks_conversions'), header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', ignore_errors = true, columns = {
       "timestamp": 'VARCHAR', user_id: 'VARCHAR', campaign_id: 'VARCHAR', conversion_type: 'VARCHAR', event_id: 'VARCHAR', event_type: 'VARCHAR',
       creative_id: 'VARCHAR', order_id: 'VARCHAR', value: 'VARCHAR', currency: 'VARCHAR', user_agent: 'VARCHAR', ip: 'VARCHAR'})
where given(user_id) is not null and in_range(event_time) and (given(value) is null or amount >= 0);

create table clicks as
select coalesce(given_id, concat_ws('|', user_id, campaign_id, epoch_us(event_time))) as event_id, hash(event_id) as event_hash, event_time, user_id,
       campaign_id, creative_id
from click_conversion where event_type = 'click' and campaign_id is not null;

create table conversions as
select coalesce(given_id, order_id || '|' || conversion_type, concat_ws('|', user_id, campaign_id, conversion_type, epoch_us(event_time), amount)) as event_id,
       hash(event_id) as event_hash, event_time, user_id, campaign_id, conversion_type, order_id, cast(amount * 1000000 as bigint) as value_micros, currency
from click_conversion where event_type = 'conversion' and conversion_type is not null;

create table bid_requests as
select coalesce(given(request_id), concat_ws('|', auction.user_id, auction.space_id, epoch_us("timestamp"), auction.amount)) as event_id, hash(event_id) as event_hash,
       "timestamp" as event_time, auction.user_id, auction.space_id, given(auction.campaign_id) as campaign_id, auction.creative_id,
       bidder.client_id, cast(round(auction.amount * 1000000) as bigint) as amount_cpm_micros, auction.won,
       cast(round(auction.clearing_price * 1000000) as bigint) as clearing_cpm_micros, auction.currency,
       targeting.age as target_age, targeting.location as target_location, targeting.gender as target_gender
from bid_arrow
where given(auction.user_id) is not null and given(auction.space_id) is not null and in_range("timestamp")
  and auction.amount between 0 and 8790000 and coalesce(strlen(request_id), 0) <= 256;

/* 2. Deduplicate: of each id the earliest stays. */
delete from impressions where rowid in (
  select rowid from impressions where event_hash in (select event_hash from impressions group by event_hash having count(*) > 1)
  qualify row_number() over (partition by event_id order by event_time, rowid) > 1);
delete from clicks where rowid in (
  select rowid from clicks where event_hash in (select event_hash from clicks group by event_hash having count(*) > 1)
  qualify row_number() over (partition by event_id order by event_time, rowid) > 1);
delete from conversions where rowid in (
  select rowid from conversions where event_hash in (select event_hash from conversions group by event_hash having count(*) > 1)
  qualify row_number() over (partition by event_id order by event_time, rowid) > 1);
delete from bid_requests where rowid in (
  select rowid from bid_requests where event_hash in (select event_hash from bid_requests group by event_hash having count(*) > 1)
  qualify row_number() over (partition by event_id order by event_time, rowid) > 1);

/* 3. Each click to the latest impression of the same user and campaign in the 24 hours before it. */
create temp table click_impression as
select c.event_id, max(struct_pack(event_time := i.event_time, event_id := i.event_id)).event_id as impression_id
from impressions i
join clicks c on c.user_id = i.user_id and c.campaign_id = i.campaign_id and i.event_time <= c.event_time and i.event_time > c.event_time - interval 24 hours
group by c.event_id;

/* 4. Each conversion to its clicks of 30 days, or where there is none to its impressions of a day. A conversion without a
      campaign meets the touches of its user: two joins with plain keys instead of one with an OR. */
create temp table click_touch as
select v.event_id as conversion_id, 'click' as touch_type, c.event_id as touch_id, c.event_time as touch_time, c.campaign_id
from conversions v
join clicks c on c.user_id = v.user_id and c.campaign_id = v.campaign_id and c.event_time <= v.event_time and c.event_time > v.event_time - interval 30 days
union all
select v.event_id, 'click', c.event_id, c.event_time, c.campaign_id
from conversions v
join clicks c on v.campaign_id is null and c.user_id = v.user_id and c.event_time <= v.event_time and c.event_time > v.event_time - interval 30 days;

create temp table unclicked as
select event_id, event_time, user_id, campaign_id from conversions where event_id not in (select conversion_id from click_touch);

create temp table touch as
from click_touch
union all
select v.event_id, 'impression', i.event_id, i.event_time, i.campaign_id
from impressions i
join unclicked v on i.user_id = v.user_id and i.campaign_id = v.campaign_id and i.event_time <= v.event_time and i.event_time > v.event_time - interval 24 hours
union all
select v.event_id, 'impression', i.event_id, i.event_time, i.campaign_id
from impressions i
join unclicked v on v.campaign_id is null and i.user_id = v.user_id and i.event_time <= v.event_time and i.event_time > v.event_time - interval 24 hours;

create table attribution as
with path as (
  select *, row_number() over (partition by conversion_id order by touch_time, touch_id) as path_position, count(*) over (partition by conversion_id) as path_length
  from touch
)
select v.event_id as conversion_id, v.event_time as conversion_time, p.touch_id, p.touch_type, p.touch_time, v.user_id,
       case when p.touch_id is null then v.campaign_id else p.campaign_id end as campaign_id, p.path_position, p.path_length,
       case when p.path_position is distinct from p.path_length then 0 else 1000000 end as last_touch_ppm, 1000000 / coalesce(p.path_length, 1) as linear_ppm,
       last_touch_ppm * coalesce(v.value_micros, 0) / 1000000 as last_touch_value_micros, linear_ppm * coalesce(v.value_micros, 0) / 1000000 as linear_value_micros
from conversions v left join path p on p.conversion_id = v.event_id;

/* 5. The hours: every measure is one addend of a long table, summed once. */
create table campaign_hourly as
with addend as (
  select date_trunc('hour', event_time) as hour, campaign_id, count(*) as impressions, sum(price_cpm_micros) as cost_cpm_micros from impressions group by all
  union all by name
  select date_trunc('hour', event_time) as hour, campaign_id, count(*) as clicks from clicks group by all
  union all by name
  select date_trunc('hour', event_time) as hour, campaign_id, count(*) as bid_requests, count(*) filter (won) as bids_won from bid_requests group by all
  union all by name
  select date_trunc('hour', event_time) as hour, campaign_id, count(*) as conversions, sum(value_micros) as conversion_value_micros from conversions group by all
  union all by name
  select date_trunc('hour', touch_time) as hour, campaign_id, sum(last_touch_ppm) as last_touch_ppm, sum(linear_ppm) as linear_ppm,
         sum(last_touch_value_micros) as last_touch_value_micros, sum(linear_value_micros) as linear_value_micros
  from attribution where touch_id is not null group by all
)
select hour, campaign_id, coalesce(sum(impressions), 0) as impressions, coalesce(sum(clicks), 0) as clicks, coalesce(sum(bid_requests), 0) as bid_requests,
       coalesce(sum(bids_won), 0) as bids_won, coalesce(sum(cost_cpm_micros), 0) as cost_cpm_micros, coalesce(sum(conversions), 0) as conversions,
       coalesce(sum(conversion_value_micros), 0) as conversion_value_micros, coalesce(sum(last_touch_ppm), 0) as last_touch_ppm,
       coalesce(sum(linear_ppm), 0) as linear_ppm, coalesce(sum(last_touch_value_micros), 0) as last_touch_value_micros,
       coalesce(sum(linear_value_micros), 0) as linear_value_micros
from addend group by hour, campaign_id;
