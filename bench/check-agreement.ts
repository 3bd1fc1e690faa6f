import { DuckDBInstance } from '@duckdb/node-api';
import { dataDirectory } from '../src/app/data-directory.ts';

/** What a contestant made of the traffic, counted in its output rather than believed from its messages. */
export interface Tally {
  readonly impressions: number;
  readonly clicks: number;
  readonly conversions: number;
  readonly bidRequests: number;
  readonly attributedConversions: number;
}

/** A peer's lake: `lake/<table>/dt=*` and `campaign_hourly`. */
export async function tallyPeer(out: string): Promise<Tally> {
  const rows = (table: string) => `(select count(*) from '${out}/lake/${table}/*/*.parquet')`;
  return tally(`select ${rows('impressions')}, ${rows('clicks')}, ${rows('conversions')}, ${rows('bid_requests')},
    (select count(distinct conversion_id) from '${out}/lake/attribution/*/*.parquet' where touch_id is not null)`);
}

/** The product's lake: `lake/<schema>.<table>/dt=*`. */
export async function tallyProduct(data: string): Promise<Tally> {
  const files = (table: string) => `'${dataDirectory(data).lake}/${table}/*/*.parquet'`;
  const rows = (table: string) => `(select count(*) from ${files(`silver.${table}`)})`;
  return tally(`select ${rows('impressions')}, ${rows('clicks')}, ${rows('conversions')}, ${rows('bid_requests')},
    (select count(distinct conversion_key) from ${files('gold.attribution')} where touch_key is not null)`);
}

async function tally(sql: string): Promise<Tally> {
  const [[impressions, clicks, conversions, bidRequests, attributedConversions] = []] = await query(sql);
  return {
    impressions: Number(impressions),
    clicks: Number(clicks),
    conversions: Number(conversions),
    bidRequests: Number(bidRequests),
    attributedConversions: Number(attributedConversions),
  };
}

const HOURLY_COUNTS = ['impressions', 'clicks', 'bid_requests', 'bids_won', 'cost_cpm_micros', 'conversions', 'conversion_value_micros'] as const;
const HOURLY_CREDIT = ['last_touch_ppm', 'linear_ppm', 'last_touch_value_micros', 'linear_value_micros'] as const;

export interface Agreement {
  readonly campaignHours: number;
  readonly differing: number;
  /** Some that differ, as JSON. */
  readonly examples: readonly string[];
}

/** How far two peers have the same figures for each campaign and hour. Credit is a double in both, summed in any order. */
export async function compareHours(oneOut: string, otherOut: string): Promise<Agreement> {
  const hours = (out: string) =>
    `(select epoch_us(hour::timestamp) as hour, campaign_id, ${[...HOURLY_COUNTS, ...HOURLY_CREDIT].join(', ')} from '${out}/campaign_hourly/*.parquet')`;
  const differs = [
    ...HOURLY_COUNTS.map((measure) => `a.${measure} is distinct from b.${measure}`),
    ...HOURLY_CREDIT.map((measure) => `abs(coalesce(a.${measure}, -1) - coalesce(b.${measure}, -1)) > 0.5`),
  ];
  const [[campaignHours, differing, examples] = []] = await query(
    `with pair as (
       select to_json([a, b]) as example, ${differs.join(' or ')} as differs
       from ${hours(oneOut)} a full join ${hours(otherOut)} b on a.hour = b.hour and a.campaign_id is not distinct from b.campaign_id
     )
     select count(*), count(*) filter (differs), to_json(list(example) filter (differs)[:3]) from pair group by ()`,
    `set timezone = 'UTC'`,
  );
  return {
    campaignHours: Number(campaignHours),
    differing: Number(differing),
    examples: JSON.parse(String(examples)).map((one: unknown) => JSON.stringify(one)),
  };
}

async function query(sql: string, ...before: readonly string[]): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const statement of before) await connection.run(statement);
    return await (await connection.runAndReadAll(sql)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
