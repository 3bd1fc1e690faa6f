import type { Feed } from '../domain/feeds.ts';
import type { FieldType } from './contract.ts';

/**
 * The columns that models, reports and people's queries count on. A contract may receive them under any name and may ask for more of
 * them (required, a tighter range), but may neither drop nor retype them. Everything else in a contract is the client's to change.
 */
export interface NeededColumn {
  readonly column: string;
  readonly type: FieldType;
  /** Must stay required: identity or time stand on it. */
  readonly required?: true;
  readonly mustBePresent?: true;
  /** Enum: the only values that models know. */
  readonly values?: readonly string[];
  /** Must stay at least this. */
  readonly minimum?: number;
}

export const NEEDED_COLUMNS: Readonly<Record<Feed, readonly NeededColumn[]>> = {
  'ad-impressions': [
    { column: 'event_time', type: 'timestamp', required: true },
    { column: 'user_id', type: 'id', required: true },
    { column: 'creative_id', type: 'id', required: true },
    { column: 'website', type: 'host', required: true },
    { column: 'impression_id', type: 'id' },
    { column: 'campaign_id', type: 'id' },
    { column: 'price_cpm_micros', type: 'money' },
    { column: 'currency', type: 'currency' },
    { column: 'user_agent', type: 'text' },
  ],
  'clicks-conversions': [
    { column: 'event_time', type: 'timestamp', required: true },
    { column: 'user_id', type: 'id', required: true },
    { column: 'campaign_id', type: 'id', mustBePresent: true },
    { column: 'conversion_type', type: 'text', mustBePresent: true },
    { column: 'event_id', type: 'id' },
    { column: 'event_type', type: 'enum', values: ['click', 'conversion'] },
    { column: 'creative_id', type: 'id' },
    { column: 'order_id', type: 'id' },
    { column: 'value_micros', type: 'money' },
    { column: 'currency', type: 'currency' },
    { column: 'user_agent', type: 'text' },
  ],
  'bid-requests': [
    { column: 'event_time', type: 'timestamp', required: true },
    { column: 'user_id', type: 'id', required: true },
    { column: 'space_id', type: 'id', required: true },
    { column: 'amount_cpm_micros', type: 'money', required: true },
    { column: 'request_id', type: 'id' },
    { column: 'client_id', type: 'id' },
    { column: 'campaign_id', type: 'id' },
    { column: 'creative_id', type: 'id' },
    { column: 'won', type: 'boolean' },
    { column: 'clearing_cpm_micros', type: 'money' },
    { column: 'currency', type: 'currency' },
    { column: 'target_age', type: 'text' },
    { column: 'target_location', type: 'text' },
    { column: 'target_gender', type: 'text' },
  ],
  campaigns: [
    { column: 'campaign_id', type: 'id', required: true },
    { column: 'name', type: 'text' },
    { column: 'pricing_model', type: 'enum', values: ['cpm', 'cpc', 'cpa'] },
    { column: 'rate_micros', type: 'money' },
    { column: 'budget_micros', type: 'money' },
    { column: 'currency', type: 'currency' },
    { column: 'start_date', type: 'date' },
    { column: 'end_date', type: 'date' },
  ],
  creatives: [
    { column: 'creative_id', type: 'id', required: true },
    { column: 'campaign_id', type: 'id', required: true },
    { column: 'name', type: 'text' },
    { column: 'format', type: 'text' },
    { column: 'valid_from', type: 'timestamp' },
  ],
  users: [
    { column: 'user_id', type: 'id', required: true },
    { column: 'age', type: 'text' },
    { column: 'gender', type: 'text' },
    { column: 'location', type: 'text' },
    { column: 'segment', type: 'text' },
  ],
  'currency-rates': [
    { column: 'rate_date', type: 'date', required: true },
    { column: 'currency', type: 'currency', required: true },
    { column: 'rate_e9', type: 'rate', required: true, minimum: 1 },
  ],
};

/** What tells one record of reference data from another, in order: `primaryKey` in its contract. */
export const REFERENCE_KEYS: Readonly<Partial<Record<Feed, readonly string[]>>> = {
  campaigns: ['campaign_id'],
  creatives: ['creative_id', 'valid_from'],
  users: ['user_id'],
  'currency-rates': ['rate_date', 'currency'],
};

/** Columns that the product itself writes into tables beside a contract's fields. */
export const RESERVED_COLUMNS: ReadonlySet<string> = new Set([
  'event_key',
  'event_type',
  'report_date',
  'valid',
  'invalid_reasons',
  'impression_key',
  'campaign_given',
  'source',
  'position',
  'batch_id',
  'received_at',
  'feed',
  'contract_version',
  'content_hash',
  'key_hash',
  'hour',
  'dt',
  'sign',
  'cause',
]);

/** Words that at least one of the engines (DuckDB, Spark, Trino, Hive) does not take as a bare column name. */
export const SQL_WORDS: ReadonlySet<string> = new Set(
  (
    'all alter and any array as asc between both by case cast check collate column constraint create cross cube current current_date ' +
    'current_time current_timestamp current_user date default delete desc describe distinct drop else end escape except exists extract false ' +
    'fetch for foreign from full function grant group grouping having if in inner insert intersect interval into is join lateral leading left ' +
    'like limit local localtime localtimestamp map natural not null offset on only or order outer over partition precision primary qualify ' +
    'references returning revoke right rollup row rows select semi set some table then time timestamp to trailing true truncate union unique ' +
    'unnest update user using values view when where window with'
  ).split(' '),
);
