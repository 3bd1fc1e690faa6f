import { ATTRIBUTION_MODELS, EVENT_TYPES, type EventType, REFERENCE_FEEDS } from '../domain/feeds.ts';
import type { Table, TableColumn } from '../domain/table.ts';
import type { StoredTable } from '../engines/engine.ts';
import { type Contracts, QUARANTINE_TABLE, stagedEventTable, stagedReferenceTable } from '../staging/staged-tables.ts';
import { FOLD_MARKS, FOLDS, SUM_TABLES } from './sum-tables.ts';

/**
 * What is stored: facts in versions (`since_batch` until a retraction names that version), sums as what each batch added, and
 * the books of the pipeline. Rows are only ever added, but for sums that are folded together; `models/views` shows what holds.
 */
export function storeTables(contracts: Contracts): readonly StoredTable[] {
  return [
    ...EVENT_TYPES.map((type) => factTable(type, contracts)),
    exposures(contracts),
    ...REFERENCE_FEEDS.map((feed) => {
      const { name, columns } = stagedReferenceTable(feed, contracts);
      return { name, columns: [...without(columns, ['stage_row']), BATCH] };
    }),
    { name: QUARANTINE_TABLE.name, columns: [...QUARANTINE_TABLE.columns, BATCH] },
    IDENTITIES,
    KEY_FILTERS,
    ATTRIBUTION,
    RETRACTIONS,
    ...SUM_TABLES.flatMap(({ table, folded }) => [table, folded]),
    FOLD_MARKS,
    FOLDS,
    BATCHES,
    LEDGER,
    FILES,
    SOURCE_POSITIONS,
    SCHEMA_DRIFT,
    REPLAYS,
    EXPIRATIONS,
    KEPT,
    SETTINGS,
  ];
}

const BATCH: TableColumn = { name: 'batch_id', type: 'bigint' };

const FACT_EXTRAS: Readonly<Record<EventType, readonly TableColumn[]>> = {
  impression: [{ name: 'campaign_given', type: 'boolean' }],
  click: [
    { name: 'bot', type: 'boolean' },
    { name: 'impression_key', type: 'key' },
  ],
  conversion: [],
  bid_request: [],
};

const ARCHIVED: ReadonlySet<EventType> = new Set(['impression', 'bid_request']);

function factTable(type: EventType, contracts: Contracts): StoredTable {
  const { name, columns } = stagedEventTable(type, contracts);
  return {
    name,
    // Nearly all records, and nothing is matched with these tables: they need neither a user's hash nor a place in the database.
    ...(ARCHIVED.has(type) ? { archivedBy: 'report_date' } : {}),
    columns: [
      ...without(columns, ['key_hash', 'content_hash', 'stage_row', 'bot', ...(ARCHIVED.has(type) ? ['user_hash'] : [])]),
      ...FACT_EXTRAS[type],
      { name: 'valid', type: 'boolean' },
      { name: 'invalid_reasons', type: 'varchar' },
      BATCH,
      { name: 'since_batch', type: 'bigint' },
    ],
  };
}

/**
 * What is matched, counted and restated of impressions: a third of their columns, where a batch finds them quickly. Users are found by two hashes of
 * their id, 128 bits as events have: to read the ids of a day's impressions would take three times as long as all else of it.
 */
const EXPOSURE_COLUMNS: readonly string[] = [
  ...['event_key', 'user_hash', 'user_id', 'event_time', 'report_date', 'campaign_id', 'creative_id', 'website', 'price_cpm_micros'],
];

function exposures(contracts: Contracts): StoredTable {
  const columns = stagedEventTable('impression', contracts).columns.filter(({ name }) => EXPOSURE_COLUMNS.includes(name));
  return {
    name: 'exposures',
    columns: [
      ...columns,
      { name: 'campaign_given', type: 'boolean' },
      { name: 'valid', type: 'boolean' },
      { name: 'since_batch', type: 'bigint' },
      { name: 'user_check', type: 'bigint', from: 'user_check(user_id)' },
    ],
  };
}

function without(columns: readonly TableColumn[], names: readonly string[]): TableColumn[] {
  return columns.filter((column) => !names.includes(column.name));
}

function integers(...names: string[]): TableColumn[] {
  return names.map((name) => ({ name, type: 'bigint' }));
}

const IDENTITIES: Table = { name: 'identities', columns: [{ name: 'event_key', type: 'key' }, ...integers('key_hash', 'content_hash', 'run', 'batch_id')] };

const KEY_FILTERS: Table = { name: 'key_filters', columns: [...integers('run', 'slot'), { name: 'fingerprints', type: 'integers' }, BATCH] };

/** In the order that `models/attribute/new_attribution.sql` gives them: the two are compared as they stand. */
const ATTRIBUTION: Table = {
  name: 'attribution',
  columns: [
    { name: 'conversion_key', type: 'key' },
    { name: 'conversion_time', type: 'timestamp' },
    { name: 'conversion_date', type: 'date' },
    { name: 'touch_key', type: 'key' },
    { name: 'touch_type', type: 'varchar' },
    { name: 'touch_time', type: 'timestamp' },
    { name: 'touch_date', type: 'date' },
    { name: 'user_id', type: 'varchar' },
    { name: 'user_hash', type: 'bigint' },
    { name: 'campaign_id', type: 'varchar' },
    ...integers('path_position', 'path_length'),
    { name: 'path_cut', type: 'boolean' },
    ...integers(...ATTRIBUTION_MODELS.flatMap((model) => [`${model}_ppm`, `${model}_value_micros`])),
    ...integers('since_batch'),
  ],
};

/** A row here takes a version of a row back, with the batch that knew more and why: the mechanism of restatement and its log. */
const RETRACTIONS: Table = {
  name: 'retractions',
  columns: [
    { name: 'table_name', type: 'varchar' },
    { name: 'row_key', type: 'key' },
    ...integers('since_batch', 'batch_id'),
    { name: 'cause', type: 'varchar' },
  ],
};

export const BATCHES: Table = {
  name: 'batches',
  columns: [
    BATCH,
    { name: 'cause', type: 'varchar' },
    { name: 'committed_at', type: 'timestamp' },
    ...integers('received', 'accepted', 'duplicate', 'quarantined', 'restated'),
  ],
};

export const LEDGER: Table = {
  name: 'ledger',
  columns: [
    { name: 'source', type: 'varchar' },
    { name: 'feed', type: 'varchar' },
    BATCH,
    { name: 'hour', type: 'timestamp' },
    ...integers('received', 'accepted', 'duplicate', 'quarantined'),
  ],
};

/** How far each file was taken, by content: the source position of a file. Counts are since its first record. */
export const FILES: Table = {
  name: 'files',
  columns: [
    { name: 'path', type: 'varchar' },
    { name: 'feed', type: 'varchar' },
    { name: 'sha256', type: 'varchar' },
    { name: 'encoding', type: 'varchar' },
    ...integers('bytes', 'records', 'accepted', 'duplicate', 'quarantined'),
    { name: 'done', type: 'boolean' },
    { name: 'complete', type: 'boolean' },
    { name: 'received_at', type: 'timestamp' },
    BATCH,
    { name: 'version', type: 'varchar' },
  ],
};

/** How far a source that goes on is taken, by feed: where its next entry stands, and the number of its next record. */
export const SOURCE_POSITIONS: Table = {
  name: 'source_positions',
  columns: [{ name: 'source', type: 'varchar' }, { name: 'feed', type: 'varchar' }, ...integers('next_entry', 'next_record', 'batch_id')],
};

export const SCHEMA_DRIFT: Table = {
  name: 'schema_drift',
  columns: [{ name: 'feed', type: 'varchar' }, { name: 'source', type: 'varchar' }, { name: 'field', type: 'varchar' }, ...integers('records', 'batch_id')],
};

export const REPLAYS: Table = {
  name: 'replays',
  columns: [{ name: 'quarantine_id', type: 'key' }, { name: 'replayed_at', type: 'timestamp' }, BATCH],
};

/** Rows that were removed because of their age, by the batch that they came with: what the ledger says is not there any more. */
export const EXPIRATIONS: Table = {
  name: 'expirations',
  columns: [
    { name: 'table_name', type: 'varchar' },
    { name: 'day', type: 'date' },
    { name: 'feed', type: 'varchar' },
    { name: 'source', type: 'varchar' },
    ...integers('of_batch', 'rows', 'batch_id'),
  ],
};

/** Days before this one were removed, by table (`gold`: all sums), and the moment at which it begins. */
export const KEPT: Table = {
  name: 'kept',
  columns: [{ name: 'table_name', type: 'varchar' }, { name: 'kept_from', type: 'date' }, { name: 'kept_from_time', type: 'timestamp' }, BATCH],
};

export const SETTINGS: Table = {
  name: 'settings',
  columns: [
    { name: 'name', type: 'varchar' },
    { name: 'value', type: 'varchar' },
  ],
};
