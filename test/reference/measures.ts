/** SEMANTICS §9: sums of the facts, by hour and by day. */
import { dayIn, hourOf } from './times.ts';
import { ascending, DAY, HOUR, MODELS, type ReferenceSettings, type Row } from './words.ts';

export interface Facts {
  readonly impressions: readonly Row[];
  readonly clicks: readonly Row[];
  readonly conversions: readonly Row[];
  readonly bids: readonly Row[];
  readonly attribution: readonly Row[];
}

const CAMPAIGN_MEASURES = [
  ...['impressions', 'valid_impressions', 'priced_impressions', 'clicks', 'valid_clicks', 'bid_requests', 'bids_won', 'cost_cpm_micros'],
  ...['conversions', 'conversion_value_micros', ...MODELS.flatMap((model) => [`${model}_ppm`, `${model}_value_micros`, `${model}_click_ppm`])],
];

/** One fact's part in the measures of a group. */
type Part = readonly [group: Row, measures: Readonly<Record<string, bigint>>];

/** Adds up the parts of each group; a measure that no part of a group has is 0. */
function addUp(parts: readonly Part[], measures: readonly string[]): Row[] {
  const sums = new Map<string, Row>();
  for (const [group, amounts] of parts) {
    const name = JSON.stringify(Object.values(group).map((value) => (typeof value === 'bigint' ? `${value}` : value)));
    const sum = sums.get(name) ?? { ...group, ...Object.fromEntries(measures.map((measure) => [measure, 0n])) };
    for (const [measure, amount] of Object.entries(amounts)) sum[measure] = (sum[measure] as bigint) + amount;
    sums.set(name, sum);
  }
  return [...sums.values()];
}

const one = (yes: unknown) => (yes === true ? 1n : 0n);
const amount = (value: unknown) => (typeof value === 'bigint' ? value : 0n);

/** Every fact with its part in the campaign's measures, grouped by a function of its time. */
function campaignParts(facts: Facts, period: (time: bigint) => Row): Part[] {
  const group = (row: Row, time: unknown) => ({ ...period(time as bigint), campaign_id: row['campaign_id'] ?? null });
  const parts: Part[] = [];
  for (const row of facts.impressions) parts.push([group(row, row['event_time']), { impressions: 1n, ...validImpression(row) }]);
  for (const row of facts.clicks) parts.push([group(row, row['event_time']), { clicks: 1n, valid_clicks: one(row['valid']) }]);
  for (const row of facts.bids) parts.push([group(row, row['event_time']), { bid_requests: 1n, bids_won: one(row['won']) }]);
  for (const row of facts.conversions) parts.push([group(row, row['event_time']), { conversions: 1n, conversion_value_micros: amount(row['value_micros']) }]);
  for (const row of facts.attribution) {
    if (row['touch_key'] === null) continue;
    const credits: Record<string, bigint> = {};
    for (const model of MODELS) {
      credits[`${model}_ppm`] = amount(row[`${model}_ppm`]);
      credits[`${model}_value_micros`] = amount(row[`${model}_value_micros`]);
      credits[`${model}_click_ppm`] = row['touch_type'] === 'click' ? amount(row[`${model}_ppm`]) : 0n;
    }
    parts.push([group(row, row['touch_time']), credits]);
  }
  return parts;
}

function validImpression(row: Row): Record<string, bigint> {
  const priced = row['valid'] === true && row['price_cpm_micros'] !== null;
  return { valid_impressions: one(row['valid']), priced_impressions: one(priced), cost_cpm_micros: priced ? amount(row['price_cpm_micros']) : 0n };
}

export function campaignHourly(facts: Facts): Row[] {
  return addUp(
    campaignParts(facts, (time) => ({ hour: hourOf(time) })),
    CAMPAIGN_MEASURES,
  ).sort(ascending('hour', 'campaign_id'));
}

export function campaignDaily(facts: Facts, settings: ReferenceSettings): Row[] {
  const zone = settings.instance.reporting_time_zone;
  return addUp(
    campaignParts(facts, (time) => ({ report_date: dayIn(zone, time) })),
    CAMPAIGN_MEASURES,
  ).sort(ascending('report_date', 'campaign_id'));
}

const VIEW_MEASURES = ['impressions', 'valid_impressions', 'cost_cpm_micros'];

function viewParts(facts: Facts, columns: readonly string[]): Part[] {
  return facts.impressions.map((row) => {
    const { valid_impressions, cost_cpm_micros } = validImpression(row);
    const group = Object.fromEntries(['report_date', ...columns].map((column) => [column, row[column] ?? null]));
    return [group, { impressions: 1n, valid_impressions: valid_impressions!, cost_cpm_micros: cost_cpm_micros! }];
  });
}

export function creativeDaily(facts: Facts): Row[] {
  return addUp(viewParts(facts, ['creative_id', 'campaign_id']), VIEW_MEASURES).sort(ascending('report_date', 'creative_id', 'campaign_id'));
}

export function websiteDaily(facts: Facts): Row[] {
  return addUp(viewParts(facts, ['website']), VIEW_MEASURES).sort(ascending('report_date', 'website'));
}

/** Whom each campaign reached on a day, and how often. */
export function userCampaignDaily(facts: Facts): Row[] {
  const parts = facts.impressions
    .filter((row) => row['valid'])
    .map((row): Part => [{ report_date: row['report_date']!, campaign_id: row['campaign_id']!, user_id: row['user_id']! }, { valid_impressions: 1n }]);
  return addUp(parts, ['valid_impressions']).sort(ascending('report_date', 'campaign_id', 'user_id'));
}

export function auctionDaily(facts: Facts): Row[] {
  const parts = facts.bids.map(
    (row): Part => [
      { report_date: row['report_date']!, campaign_id: row['campaign_id']!, space_id: row['space_id']! },
      {
        bid_requests: 1n,
        bids_with_outcome: one(row['won'] !== null),
        bids_won: one(row['won']),
        amount_cpm_micros: amount(row['amount_cpm_micros']),
        clearing_cpm_micros: row['won'] === true ? amount(row['clearing_cpm_micros']) : 0n,
      },
    ],
  );
  const measures = ['bid_requests', 'bids_with_outcome', 'bids_won', 'amount_cpm_micros', 'clearing_cpm_micros'];
  return addUp(parts, measures).sort(ascending('report_date', 'campaign_id', 'space_id'));
}

function lagBucket(lag: bigint): string {
  if (lag < HOUR) return '<1h';
  if (lag < DAY) return '1h-1d';
  return lag < 7n * DAY ? '1d-7d' : '7d-30d';
}

/** How long conversions took after their last touch, by the day of the conversion. */
export function conversionLag(facts: Facts, settings: ReferenceSettings): Row[] {
  const parts = facts.attribution
    .filter((row) => row['last_touch_ppm'] !== 0n)
    .map((row): Part => {
      const time = row['conversion_time'] as bigint;
      const lag_bucket = row['touch_time'] === null ? 'unattributed' : lagBucket(time - (row['touch_time'] as bigint));
      const group = { report_date: dayIn(settings.instance.reporting_time_zone, time), campaign_id: row['campaign_id']!, lag_bucket };
      return [group, { conversions_ppm: row['last_touch_ppm'] as bigint }];
    });
  return addUp(parts, ['conversions_ppm']).sort(ascending('report_date', 'campaign_id', 'lag_bucket'));
}
