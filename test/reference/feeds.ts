/** SEMANTICS §2: what each feed holds. The order of fields decides which broken rule is the code. */

export type FieldType = 'id' | 'text' | 'host' | 'enum' | 'currency' | 'country' | 'money' | 'timestamp' | 'date' | 'boolean' | 'rate';

export interface Field {
  /** Nested names, from the record down. */
  readonly path: readonly string[];
  readonly column: string;
  readonly type: FieldType;
  readonly need: 'value' | 'presence' | 'nothing';
  readonly values: readonly string[];
  readonly maxLength: number;
}

const REQUIRED = { need: 'value' } as const;
const PRESENT = { need: 'presence' } as const;

function field(name: string, type: FieldType, column = name, more: Partial<Field> = {}): Field {
  return { path: name.split('.'), column, type, need: 'nothing', values: [], maxLength: type === 'id' ? 256 : Number.POSITIVE_INFINITY, ...more };
}

const text = (name: string, maxLength: number, column = name) => field(name, 'text', column, { maxLength });

export const FIELDS = {
  'ad-impressions': [
    field('creative_id', 'id', 'creative_id', REQUIRED),
    field('user_id', 'id', 'user_id', REQUIRED),
    field('timestamp', 'timestamp', 'event_time', REQUIRED),
    field('website', 'host', 'website', REQUIRED),
    field('impression_id', 'id'),
    field('campaign_id', 'id'),
    field('auction_id', 'id'),
    field('placement_id', 'id'),
    field('price', 'money', 'price_cpm_micros'),
    field('currency', 'currency'),
    text('user_agent', 2048),
    text('ip', 64),
    field('country', 'country'),
    field('device_type', 'enum', 'device_type', { values: ['desktop', 'mobile', 'tablet', 'ctv', 'other'] }),
    field('viewable', 'boolean'),
    field('consent_gdpr', 'boolean'),
    text('consent_tcf', 4096),
    text('consent_us_privacy', 16),
  ],
  'clicks-conversions': [
    field('timestamp', 'timestamp', 'event_time', REQUIRED),
    field('user_id', 'id', 'user_id', REQUIRED),
    field('campaign_id', 'id', 'campaign_id', PRESENT),
    field('conversion_type', 'text', 'conversion_type', { ...PRESENT, maxLength: 64 }),
    field('event_id', 'id'),
    field('event_type', 'enum', 'event_type', { values: ['click', 'conversion'] }),
    field('creative_id', 'id'),
    field('order_id', 'id'),
    field('value', 'money', 'value_micros'),
    field('currency', 'currency'),
    text('user_agent', 2048),
    text('ip', 64),
  ],
  'bid-requests': [
    field('timestamp', 'timestamp', 'event_time', REQUIRED),
    field('auction.user_id', 'id', 'user_id', REQUIRED),
    field('auction.space_id', 'id', 'space_id', REQUIRED),
    field('auction.amount', 'money', 'amount_cpm_micros', REQUIRED),
    field('auction.campaign_id', 'id', 'campaign_id'),
    field('auction.creative_id', 'id', 'creative_id'),
    field('auction.won', 'boolean', 'won'),
    field('auction.clearing_price', 'money', 'clearing_cpm_micros'),
    field('auction.currency', 'currency', 'currency'),
    field('request_id', 'id'),
    field('bidder.client_id', 'id', 'client_id'),
    text('targeting.age', 32, 'target_age'),
    text('targeting.location', 256, 'target_location'),
    text('targeting.gender', 32, 'target_gender'),
  ],
  campaigns: [
    field('campaign_id', 'id', 'campaign_id', REQUIRED),
    text('name', 256),
    field('pricing_model', 'enum', 'pricing_model', { values: ['cpm', 'cpc', 'cpa'] }),
    field('rate', 'money', 'rate_micros'),
    field('budget', 'money', 'budget_micros'),
    field('currency', 'currency'),
    field('start', 'date', 'start_date'),
    field('end', 'date', 'end_date'),
  ],
  creatives: [
    field('creative_id', 'id', 'creative_id', REQUIRED),
    field('campaign_id', 'id', 'campaign_id', REQUIRED),
    text('name', 256),
    text('format', 64),
    field('valid_from', 'timestamp'),
  ],
  users: [field('user_id', 'id', 'user_id', REQUIRED), text('age', 32), text('gender', 32), text('location', 256), text('segment', 256)],
  'currency-rates': [
    field('rate_date', 'date', 'rate_date', REQUIRED),
    field('currency', 'currency', 'currency', REQUIRED),
    field('rate', 'rate', 'rate_e9', REQUIRED),
  ],
} as const satisfies Record<string, readonly Field[]>;

export type Feed = keyof typeof FIELDS;

/** The columns that identify a row of reference data: a later row takes the place of an earlier one. */
export const REFERENCE_KEYS = {
  campaigns: ['campaign_id'],
  creatives: ['creative_id', 'valid_from'],
  users: ['user_id'],
  'currency-rates': ['rate_date', 'currency'],
} as const satisfies Partial<Record<Feed, readonly string[]>>;
export type ReferenceFeed = keyof typeof REFERENCE_KEYS;

export function isReferenceFeed(feed: Feed): feed is ReferenceFeed {
  return feed in REFERENCE_KEYS;
}
