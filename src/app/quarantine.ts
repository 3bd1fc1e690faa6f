import { rm } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceChunk } from '../batches/batch.ts';
import { compileContract } from '../contracts/compile-contract.ts';
import type { NormalisingRules } from '../contracts/contract.ts';
import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import { type Encoding, FEEDS, type Feed } from '../domain/feeds.ts';
import type { ResultTable } from '../domain/result-table.ts';
import type { Engine } from '../engines/engine.ts';
import { BesideEngine } from '../engines/remote/beside-engine.ts';
import { RecordReceiver, ROWS_A_CHUNK } from '../ingest/record-receiver.ts';
import type { RawRecord } from '../staging/staged-chunk.ts';
import { contractOf } from '../staging/staged-tables.ts';
import { edgeSettings } from './edge-settings.ts';
import { InTurn } from './in-turn.ts';
import type { Instance } from './instance.ts';
import { ReplayDecoding } from './replay-decoding.ts';
import { type OrderedRows, type RowFilter, type RowPage, readPage } from './row-pages.ts';

export interface QuarantineFilter {
  readonly feed?: string;
  readonly code?: string;
  /** JSON pointer of the field. */
  readonly path?: string;
  /** Received within, RFC 3339 or days; `until` is left out. */
  readonly since?: string;
  readonly until?: string;
  readonly ids?: readonly string[];
  /** Replayed ones as well. */
  readonly all?: boolean;
}

/** Counts by feed, code and field, the most first; with an example of each. */
export async function countQuarantine({ engine }: Instance, filter: QuarantineFilter): Promise<ResultTable> {
  const { condition, parameters } = filterOf(filter);
  return engine.query(
    `select feed, code, path, count(*) as records, min(received_at) as first_received, max(received_at) as last_received, min(quarantine_id) as example, any_value(message) as message
     from ops.quarantine where ${condition} group by feed, code, path order by records desc, feed, code, path`,
    parameters,
  );
}

const QUARANTINE: OrderedRows = {
  columns: ['quarantine_id', 'feed', 'code', 'path', 'message', 'source', 'position', 'received_at', 'replayed_at'],
  from: 'ops.quarantine',
  key: [
    { column: 'received_at', type: 'timestamp', order: 'desc' },
    { column: 'source', type: 'varchar', order: 'asc' },
    { column: 'position', type: 'bigint', order: 'asc' },
    { column: 'quarantine_id', type: 'varchar', order: 'asc' },
  ],
};

/** One row a record, the newest first; `after`: those behind the last row of the page before. */
export function listQuarantine({ engine }: Instance, filter: QuarantineFilter, limit: number, after?: readonly string[]): Promise<RowPage> {
  return readPage(engine, QUARANTINE, filterOf(filter), limit, after);
}

export interface QuarantinedRecord {
  readonly quarantineId: string;
  readonly feed: string;
  readonly source: string;
  readonly position: bigint;
  readonly encoding: string;
  readonly contractVersion: string;
  readonly receivedAtMicros: bigint;
  readonly replayedAtMicros: bigint | null;
  readonly violations: readonly { readonly code: string; readonly pointer: string; readonly message: string }[];
  readonly raw: Uint8Array;
}

/** One record with every rule it broke and its bytes. An id may be cut to its first digits while it is unique. */
export async function showQuarantined({ engine }: Instance, id: string): Promise<QuarantinedRecord> {
  const rows = await engine.rows<{
    quarantine_id: string;
    feed: string;
    source: string;
    position: bigint;
    encoding: string;
    contract_version: string;
    received_at: bigint;
    replayed_at: bigint | null;
    violations: string;
    raw: Uint8Array;
  }>('select * from ops.quarantine where starts_with(quarantine_id, $id) limit 2', { id: id.toLowerCase() });
  const [row] = rows;
  if (row === undefined) throw new AdvertiseXError('not_found', `There is no quarantined record ${id}`, 'List them with `advertisex quarantine list`.');
  if (rows.length > 1) throw new AdvertiseXError('usage', `More than one quarantined record starts with ${id}`, 'Give more digits of the id.');
  return {
    quarantineId: row.quarantine_id,
    feed: row.feed,
    source: row.source,
    position: row.position,
    encoding: row.encoding,
    contractVersion: row.contract_version,
    receivedAtMicros: row.received_at,
    replayedAtMicros: row.replayed_at,
    violations: JSON.parse(row.violations),
    raw: row.raw,
  };
}

export interface ReplaySummary {
  readonly replayed: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly stillQuarantined: number;
  readonly batches: readonly number[];
}

/** Of one batch, so that what comes live waits for no more. */
const REPLAY_RECORDS = 20_000;
/** Of records that are held in memory at once; one that is larger comes alone. */
const REPLAY_BYTES = 33_554_432;
/** Records between two moments at which others get their turn. */
const RECORDS_A_TURN = 256;

export interface ReplayManner {
  /** Reads what is committed, where batches run meanwhile. */
  readonly committed?: Engine;
  /** Aborted, no other batch is begun. */
  readonly signal?: AbortSignal;
}

/** Two at the same time would both take the same records for not replayed yet. */
const replays = new InTurn();

/** Puts quarantined records through the same path again, under today's contracts, rates and settings. */
export function replayQuarantine(instance: Instance, filter: QuarantineFilter, manner: ReplayManner = {}): Promise<ReplaySummary> {
  return replays.run(instance.batches, () => replayAll(instance, filter, manner));
}

/** The same beside batches: what is not replayed yet is read of what is committed. */
export function replayBeside(instance: Instance, filter: QuarantineFilter, signal?: AbortSignal): Promise<ReplaySummary> {
  if (instance.reads === undefined) throw new TypeError('the instance is only read');
  return replayQuarantine(instance, filter, {
    committed: new BesideEngine(instance.reads, new AbortController()),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function replayAll(instance: Instance, filter: QuarantineFilter, { committed = instance.engine, signal }: ReplayManner): Promise<ReplaySummary> {
  const { condition, parameters } = filterOf({ ...filter, all: false });
  const sum = { replayed: 0, accepted: 0, duplicate: 0, stillQuarantined: 0, batches: [] as number[] };
  for (let after = ''; ; ) {
    const rows = await committed.rows<ReplayRow>(
      `select * exclude (bytes_before) from (
         select quarantine_id, feed, source, position, received_at, raw, encoding, delimiter,
                coalesce(sum(octet_length(raw)) over (order by quarantine_id rows between unbounded preceding and 1 preceding), 0) as bytes_before
         from ops.quarantine where ${condition} and quarantine_id > $after
       ) q where bytes_before < ${REPLAY_BYTES} order by quarantine_id limit ${REPLAY_RECORDS}`,
      { ...parameters, after },
    );
    if (rows.length === 0) return sum;
    if (signal?.aborted) throw interrupted();
    await instance.disk.requireRoom();
    const replayed = await replayBatch(instance, rows).catch(unlessChanged);
    // Some of them are gone meanwhile: what is left is read again.
    if (replayed === undefined) continue;
    after = (rows.at(-1) as ReplayRow).quarantine_id;
    const { batchId, outcomes } = replayed;
    sum.replayed += rows.length;
    sum.accepted += outcomes.accepted;
    sum.duplicate += outcomes.duplicate;
    sum.stillQuarantined += rows.length - outcomes.accepted - outcomes.duplicate;
    sum.batches.push(batchId);
  }
}

function unlessChanged(error: unknown): undefined {
  if (!(error instanceof AdvertiseXError) || error.code !== 'source_changed') throw error;
}

type ReplayRow = {
  readonly quarantine_id: string;
  readonly feed: Feed;
  readonly source: string;
  readonly position: bigint;
  readonly received_at: bigint;
  readonly raw: Uint8Array;
  readonly encoding: Encoding;
  readonly delimiter: string;
};

async function replayBatch(instance: Instance, rows: readonly ReplayRow[]) {
  const chunks: SourceChunk[] = [];
  const replays: string[] = [];
  const edge = await edgeSettings(instance);
  for (const [index, feed] of FEEDS.entries()) {
    const records = rows.filter((row) => row.feed === feed).sort(byOrigin);
    if (records.length === 0) continue;
    const contract = contractOf(feed, instance.contracts);
    const check = compileContract(contract, edge.rules[feed] as NormalisingRules);
    const originOf = (row: ReplayRow) => ({
      feed,
      source: row.source,
      encoding: row.encoding,
      delimiter: row.delimiter,
      contractVersion: contract.version,
      receivedAtMicros: Number(row.received_at),
    });
    // One chunk a record's origin: the books are by source and hour of receipt.
    let current = records[0] as ReplayRow;
    const receiver = new RecordReceiver({
      feed,
      check,
      contracts: instance.contracts,
      currency: edge.currency,
      rates: edge.rates,
      reportingTimeZone: edge.reportingTimeZone,
    });
    receiver.start({
      origin: originOf(current),
      directory: instance.directory.staging,
      name: `replay-${feed}`,
      firstStageRow: index * ROWS_A_CHUNK * 65_536,
      firstPosition: 0,
      chunkRecords: REPLAY_RECORDS,
      onChunk: (chunk) => chunks.push({ ...chunk, feed, source: current.source, receivedAtMicros: Number(current.received_at) }),
    });
    const decoding = new ReplayDecoding(check, receiver, edge.maxRecordBytes);
    await decoding.prepare(records, instance.settings.registry);
    for (const [index, row] of records.entries()) {
      if (index % RECORDS_A_TURN === RECORDS_A_TURN - 1) await nextTurn();
      if (row.source !== current.source || row.received_at !== current.received_at) {
        receiver.flush();
        current = row;
        receiver.startOrigin(originOf(row));
      }
      // Bytes that hold no record at all (a damaged container's) stay where they are.
      if (decoding.decode(row)) replays.push(row.quarantine_id);
    }
    receiver.flush();
  }
  // One path may have held several files, received one after the other.
  const rawOf = new Map(rows.map((row) => [`${row.feed} ${row.position} ${row.received_at} ${row.source}`, row]));
  const batch = await instance.batches.apply({
    cause: 'replay',
    chunks,
    files: [],
    replays,
    stagingDirectory: instance.directory.staging,
    readRaw: async (conflicts) =>
      conflicts.map((conflict): RawRecord => {
        const row = rawOf.get(`${conflict.feed} ${conflict.position} ${conflict.receivedAtMicros} ${conflict.source}`) as ReplayRow;
        return { raw: row.raw, encoding: row.encoding, delimiter: row.delimiter, contractVersion: contractOf(row.feed, instance.contracts).version };
      }),
  });
  for (const { segments } of chunks) for (const { path } of segments) await rm(path, { force: true });
  return batch;
}

function byOrigin(a: ReplayRow, b: ReplayRow): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return Number(a.received_at - b.received_at) || Number(a.position - b.position);
}

function filterOf({ feed, code, path, since, until, ids, all }: QuarantineFilter): RowFilter {
  const conditions = all ? ['true'] : ['replayed_at is null'];
  const parameters: Record<string, string | bigint> = {};
  const require = (condition: string, name: string, value: string | bigint | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters[name] = value;
  };
  require('feed = $feed', 'feed', feed);
  require('code = $code', 'code', code);
  require('path = $path', 'path', path);
  require('received_at >= make_timestamp(cast($since as bigint))', 'since', since === undefined ? since : timeMicros(since));
  require('received_at < make_timestamp(cast($until as bigint))', 'until', until === undefined ? until : timeMicros(until));
  if (ids !== undefined) {
    conditions.push(`(${ids.map((_, index) => `starts_with(quarantine_id, $id_${index})`).join(' or ') || 'false'})`);
    for (const [index, id] of ids.entries()) parameters[`id_${index}`] = id.toLowerCase();
  }
  return { condition: conditions.join(' and '), parameters };
}

function timeMicros(text: string): bigint {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) throw new AdvertiseXError('usage', `${text} is not a time`, 'Write a time as 2026-03-14T09:26:53Z, or a day as 2026-03-14.');
  return BigInt(milliseconds) * 1_000n;
}
