import { rm } from 'node:fs/promises';
import type { SourceChunk } from '../batches/batch.ts';
import { compileContract } from '../contracts/compile-contract.ts';
import type { NormalisingRules } from '../contracts/contract.ts';
import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import { type Encoding, FEEDS, type Feed } from '../domain/feeds.ts';
import type { ResultTable } from '../domain/result-table.ts';
import { createDecoder } from '../encodings/create-decoder.ts';
import type { RecordSlots } from '../encodings/record-slots.ts';
import { RecordReceiver, ROWS_A_CHUNK } from '../ingest/record-receiver.ts';
import type { RawRecord } from '../staging/staged-chunk.ts';
import { contractOf } from '../staging/staged-tables.ts';
import { edgeSettings } from './edge-settings.ts';
import type { Instance } from './instance.ts';

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
  return engine.query(
    `select feed, code, path, count(*) as records, min(received_at) as first_received, max(received_at) as last_received, min(quarantine_id) as example, any_value(message) as message
     from ops.quarantine where ${conditions(filter)} group by feed, code, path order by records desc, feed, code, path`,
  );
}

/** One row a record, the newest first. */
export async function listQuarantine({ engine }: Instance, filter: QuarantineFilter, limit: number): Promise<ResultTable> {
  return engine.query(
    `select quarantine_id, feed, code, path, message, source, position, received_at, replayed_at
     from ops.quarantine where ${conditions(filter)} order by received_at desc, source, position limit ${Math.trunc(limit)}`,
  );
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

const REPLAY_BATCH = 50_000;

/** Puts quarantined records through the same path again, under today's contracts, rates and settings. Aborted, it begins no other batch. */
export async function replayQuarantine(instance: Instance, filter: QuarantineFilter, signal?: AbortSignal): Promise<ReplaySummary> {
  const sum = { replayed: 0, accepted: 0, duplicate: 0, stillQuarantined: 0, batches: [] as number[] };
  for (let after = ''; ; ) {
    const rows = await instance.batches.alone(() =>
      instance.engine.rows<ReplayRow>(
        `select quarantine_id, feed, source, position, received_at, raw, encoding, delimiter from ops.quarantine
       where ${conditions({ ...filter, all: false })} and quarantine_id > $after order by quarantine_id limit ${REPLAY_BATCH}`,
        { after },
      ),
    );
    if (rows.length === 0) return sum;
    if (signal?.aborted) throw interrupted();
    after = (rows.at(-1) as ReplayRow).quarantine_id;
    const { batchId, outcomes } = await replayBatch(instance, rows);
    sum.replayed += rows.length;
    sum.accepted += outcomes.accepted;
    sum.duplicate += outcomes.duplicate;
    sum.stillQuarantined += rows.length - outcomes.accepted - outcomes.duplicate;
    sum.batches.push(batchId);
  }
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
      chunkRecords: REPLAY_BATCH,
      onChunk: (chunk) => chunks.push({ ...chunk, feed, source: current.source, receivedAtMicros: Number(current.received_at) }),
    });
    for (const row of records) {
      if (row.source !== current.source || row.received_at !== current.received_at) {
        receiver.flush();
        current = row;
        receiver.startOrigin(originOf(row));
      }
      let reported = false;
      const decoder = createDecoder(
        { encoding: row.encoding, fields: check.paths, maxRecordBytes: edge.maxRecordBytes, delimiter: row.delimiter },
        {
          record: (slots: RecordSlots) => {
            if (reported) return;
            reported = true;
            slots.recordNumber = Number(row.position);
            receiver.record(slots);
          },
          malformed: (problem) => {
            if (reported) return;
            reported = true;
            receiver.malformed({ ...problem, recordNumber: Number(row.position) });
          },
        },
      );
      receiver.decoder = decoder;
      decoder.push(row.raw);
      decoder.end();
      // Bytes that hold no record at all (a damaged container's) stay where they are.
      if (reported) replays.push(row.quarantine_id);
    }
    receiver.flush();
  }
  // One path may have held several files, received one after the other.
  const rawOf = new Map(rows.map((row) => [`${row.feed} ${row.position} ${row.received_at} ${row.source}`, row]));
  const committed = await instance.batches.apply({
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
  return committed;
}

function byOrigin(a: ReplayRow, b: ReplayRow): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return Number(a.received_at - b.received_at) || Number(a.position - b.position);
}

function conditions(filter: QuarantineFilter): string {
  const parts = filter.all ? ['true'] : ['replayed_at is null'];
  if (filter.feed !== undefined) parts.push(`feed = ${literal(filter.feed)}`);
  if (filter.code !== undefined) parts.push(`code = ${literal(filter.code)}`);
  if (filter.path !== undefined) parts.push(`path = ${literal(filter.path)}`);
  if (filter.since !== undefined) parts.push(`received_at >= ${time(filter.since)}`);
  if (filter.until !== undefined) parts.push(`received_at < ${time(filter.until)}`);
  if (filter.ids !== undefined) parts.push(`(${filter.ids.map((id) => `starts_with(quarantine_id, ${literal(id.toLowerCase())})`).join(' or ') || 'false'})`);
  return parts.join(' and ');
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function time(text: string): string {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) throw new AdvertiseXError('usage', `${text} is not a time`, 'Write a time as 2026-03-14T09:26:53Z, or a day as 2026-03-14.');
  return `from_micros(${milliseconds * 1000})`;
}
