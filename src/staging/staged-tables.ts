import type { Contract, ContractField, FieldType } from '../contracts/contract.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import type { EventType, Feed, ReferenceFeed } from '../domain/feeds.ts';
import type { ColumnType, Table, TableColumn } from '../domain/table.ts';

/** What the edge hands to an engine: a staged table for each type of event, each reference feed, and the quarantine. */

const COLUMN_TYPES: Readonly<Record<FieldType, ColumnType>> = {
  id: 'varchar',
  text: 'varchar',
  host: 'varchar',
  enum: 'varchar',
  currency: 'varchar',
  country: 'varchar',
  money: 'bigint',
  integer: 'bigint',
  rate: 'bigint',
  timestamp: 'timestamp',
  date: 'date',
  boolean: 'boolean',
};

/** Where a staged row came from, the same in every staged table. `stage_row` is unique in a batch. */
const ORIGIN: readonly TableColumn[] = [
  { name: 'stage_row', type: 'bigint' },
  { name: 'source', type: 'varchar' },
  { name: 'position', type: 'bigint' },
  { name: 'received_at', type: 'timestamp' },
];

/** `key_hash` is the key's last 64 bits, `content_hash` and `user_hash` 64 bits of the content and of the user id: what engines compare first. */
const IDENTITY: readonly TableColumn[] = [
  { name: 'event_key', type: 'key' },
  { name: 'key_hash', type: 'bigint' },
  { name: 'content_hash', type: 'bigint' },
  { name: 'user_hash', type: 'bigint' },
  { name: 'report_date', type: 'date' },
];

const BOT: TableColumn = { name: 'bot', type: 'boolean' };

interface EventTable {
  readonly table: string;
  readonly feed: Feed;
  /** Columns of the feed's contract that this type of event has no use for; they are no part of its content. */
  readonly without: readonly string[];
  readonly hasUserAgent: boolean;
}

export const EVENT_TABLES: Readonly<Record<EventType, EventTable>> = {
  impression: { table: 'impressions', feed: 'ad-impressions', without: [], hasUserAgent: true },
  click: { table: 'clicks', feed: 'clicks-conversions', without: ['event_type', 'conversion_type', 'order_id', 'value_micros'], hasUserAgent: true },
  conversion: { table: 'conversions', feed: 'clicks-conversions', without: ['event_type'], hasUserAgent: true },
  bid_request: { table: 'bid_requests', feed: 'bid-requests', without: [], hasUserAgent: false },
};

export const REFERENCE_TABLES: Readonly<Record<ReferenceFeed, { readonly table: string; readonly key: readonly string[] }>> = {
  campaigns: { table: 'campaigns', key: ['campaign_id'] },
  creatives: { table: 'creatives', key: ['creative_id', 'valid_from'] },
  users: { table: 'users', key: ['user_id'] },
  'currency-rates': { table: 'currency_rates', key: ['rate_date', 'currency'] },
};

export const QUARANTINE_TABLE: Table = {
  name: 'quarantine',
  columns: [
    { name: 'quarantine_id', type: 'key' },
    { name: 'feed', type: 'varchar' },
    { name: 'code', type: 'varchar' },
    { name: 'path', type: 'varchar' },
    { name: 'message', type: 'varchar' },
    { name: 'violations', type: 'varchar' },
    { name: 'raw', type: 'blob' },
    { name: 'encoding', type: 'varchar' },
    { name: 'delimiter', type: 'varchar' },
    { name: 'contract_version', type: 'varchar' },
    { name: 'source', type: 'varchar' },
    { name: 'position', type: 'bigint' },
    { name: 'received_at', type: 'timestamp' },
  ],
};

export type Contracts = ReadonlyMap<Feed, Contract>;

/** The contract's fields that an event of this type keeps, in contract order. */
export function eventFields(type: EventType, contracts: Contracts): readonly ContractField[] {
  const { feed, without } = EVENT_TABLES[type];
  return contractOf(feed, contracts).fields.filter((field) => !without.includes(field.column));
}

export function stagedEventTable(type: EventType, contracts: Contracts): Table {
  const { table, hasUserAgent } = EVENT_TABLES[type];
  return { name: table, columns: [...IDENTITY, ...ORIGIN, ...(hasUserAgent ? [BOT] : []), ...eventFields(type, contracts).map(columnOf)] };
}

export function stagedReferenceTable(feed: ReferenceFeed, contracts: Contracts): Table {
  return {
    name: REFERENCE_TABLES[feed].table,
    columns: [{ name: 'event_key', type: 'key' }, { name: 'content_hash', type: 'bigint' }, ...ORIGIN, ...contractOf(feed, contracts).fields.map(columnOf)],
  };
}

export function contractOf(feed: Feed, contracts: Contracts): Contract {
  const contract = contracts.get(feed);
  if (contract === undefined) {
    throw new AdvertiseXError(
      'contract_invalid',
      `There is no contract for the feed ${feed}`,
      `Put ${feed}.odcs.yaml into the contracts folder; \`advertisex init\` writes one.`,
    );
  }
  return contract;
}

function columnOf(field: ContractField): TableColumn {
  return { name: field.column, type: COLUMN_TYPES[field.type] };
}
