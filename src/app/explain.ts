import { AdvertiseXError } from '../domain/errors.ts';
import type { ResultTable } from '../domain/result-table.ts';
import type { EngineRow } from '../engines/engine.ts';
import type { Instance } from './instance.ts';
import { readAsOf } from './query.ts';

export interface Explanation {
  readonly eventType: 'impression' | 'click' | 'conversion' | 'bid_request';
  /** The event's row, with where its record came from. Times in microseconds since 1970, dates in days. */
  readonly event: EngineRow;
  /** What later batches changed about it, in order. */
  readonly restatements: readonly EngineRow[];
  /** Of a conversion: every touch of the user in the click window, the latest first, with what became of it. Of a click: the impressions it could belong to. */
  readonly candidates: ResultTable | undefined;
}

const TABLES = { conversion: 'conversions', click: 'clicks', impression: 'impressions', bid_request: 'bid_requests' } as const;

/** Why a figure is what it is: an event by its key, or the first digits of it. */
export async function explain(instance: Instance, key: string, asOf?: number): Promise<Explanation> {
  if (!/^[0-9a-f]{4,32}$/i.test(key))
    throw new AdvertiseXError(
      'usage',
      `${key} is not an event key`,
      'A key has 32 hex digits, the first of which will do: the column event_key of silver.events, conversion_key of gold.attribution.',
    );
  await readAsOf(instance, asOf);
  const { engine } = instance;
  const from = key.toLowerCase().padEnd(32, '0');
  const to = key.toLowerCase().padEnd(32, 'f');
  for (const [eventType, table] of Object.entries(TABLES) as [keyof typeof TABLES, string][]) {
    const stored = eventType === 'impression' || eventType === 'click' ? `store.current_${table}` : `store.${table}`;
    const [event, other] = await engine.rows(
      `select key_text(event_key) as event_key, columns(lambda name: name not in ('event_key', 'user_hash')) from ${stored} where event_key between cast($from as uuid) and cast($to as uuid) and since_batch <= as_of() limit 2`,
      { from, to },
    );
    if (other !== undefined) throw new AdvertiseXError('usage', `More than one event starts with ${key}`, 'Give more digits of the key.');
    if (event === undefined) continue;
    const eventKey = event.event_key as string;
    return {
      eventType,
      event,
      restatements: await engine.rows('select table_name, since_batch, batch_id, cause from ops.restatements where row_key = $key order by batch_id', {
        key: eventKey,
      }),
      candidates:
        eventType === 'conversion'
          ? await engine.query(candidateTouches(eventKey))
          : eventType === 'click'
            ? await engine.query(candidateImpressions(eventKey))
            : undefined,
    };
  }
  throw new AdvertiseXError(
    'not_found',
    `There is no event ${key}${asOf === undefined ? '' : ` as of batch ${asOf}`}`,
    'List keys with `advertisex query "select event_key, event_type from silver.events limit 10"`.',
  );
}

function uuid(key: string): string {
  return `cast('${key}' as uuid)`;
}

/** Found by their exposures; where each is from is said by the impression itself, of which only those about that time are read. */
const IMPRESSIONS_OF_A_USER =
  'store.current_exposures e join store.impressions i on i.event_time = e.event_time and i.event_key = e.event_key and i.since_batch = e.since_batch';

/** The rules of attribution in the order they drop a touch. */
function candidateTouches(key: string): string {
  return `
    with conversion as (select * from store.conversions where event_key = ${uuid(key)}),
    touch as (
      select 'click' as touch_type, c.event_key, c.event_time, c.user_id, c.campaign_id, c.valid, c.invalid_reasons, c.source, c.position, c.batch_id from store.current_clicks c
      where c.user_hash = (select user_hash from conversion)
      union all
      select 'impression', i.event_key, i.event_time, i.user_id, i.campaign_id, i.valid, i.invalid_reasons, i.source, i.position, i.batch_id from ${IMPRESSIONS_OF_A_USER}
      where e.user_hash = (select user_hash from conversion)
    )
    select key_text(t.event_key) as touch_key, t.touch_type, t.event_time as touch_time, t.campaign_id,
           case when a.touch_key is not null then 'credited: touch ' || a.path_position || ' of ' || a.path_length
                when t.event_time > v.event_time then 'dropped: after the conversion'
                when match_by_campaign() and v.campaign_id is not null and t.campaign_id is distinct from v.campaign_id then 'dropped: another campaign'
                when not t.valid then 'dropped: invalid (' || t.invalid_reasons || ')'
                when micros(v.event_time) - micros(t.event_time) >= case when t.touch_type = 'click' then click_window_us() else impression_window_us() end
                  then 'dropped: outside the ' || t.touch_type || ' window'
                when click_preferred() and t.touch_type = 'impression' and exists (select 1 from store.current_attribution o where o.conversion_key = v.event_key and o.touch_type = 'click')
                  then 'dropped: a click is preferred to an impression'
                else 'dropped: more than ' || max_touches() || ' touches' end as verdict,
           a.last_touch_ppm, a.first_touch_ppm, a.linear_ppm, a.position_based_ppm, a.time_decay_ppm,
           t.source, t.position, t.batch_id
    from touch t
    join conversion v on v.user_id = t.user_id
    left join store.current_attribution a on a.conversion_key = v.event_key and a.touch_key = t.event_key
    where micros(v.event_time) - micros(t.event_time) < greatest(click_window_us(), impression_window_us())
      and micros(t.event_time) - micros(v.event_time) < 86400000000
    order by t.event_time desc, t.touch_type, t.event_key desc`;
}

function candidateImpressions(key: string): string {
  return `
    with click as (select * from store.current_clicks where event_key = ${uuid(key)})
    select key_text(i.event_key) as impression_key, i.event_time as impression_time, i.campaign_id,
           case when i.event_key = c.impression_key then 'matched: the latest valid impression before the click'
                when i.event_time > c.event_time then 'dropped: after the click'
                when i.campaign_id is distinct from c.campaign_id then 'dropped: another campaign'
                when not i.valid then 'dropped: invalid (' || i.invalid_reasons || ')'
                when micros(c.event_time) - micros(i.event_time) >= click_to_impression_us() then 'dropped: outside the window'
                else 'dropped: a later impression is nearer' end as verdict,
           i.source, i.position, i.batch_id
    from ${IMPRESSIONS_OF_A_USER}
    join click c on c.user_hash = e.user_hash and c.user_id = e.user_id
    where abs(micros(c.event_time) - micros(e.event_time)) < 2 * click_to_impression_us()
    order by i.event_time desc, i.event_key desc`;
}
