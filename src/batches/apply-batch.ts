import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EVENT_TYPES, type EventType, type Feed, REFERENCE_FEEDS } from '../domain/feeds.ts';
import type { Engine, SettledFrom } from '../engines/engine.ts';
import { QuarantineStager } from '../staging/quarantine-stager.ts';
import type { RawRecord } from '../staging/staged-chunk.ts';
import { EVENT_TABLES, QUARANTINE_TABLE, REFERENCE_TABLES, stagedEventTable, stagedReferenceTable } from '../staging/staged-tables.ts';
import type { ApplyContext } from './apply-context.ts';
import { addCounts, type Batch, type CommittedBatch, type ConflictingRecord, type OutcomeCounts, partsOf } from './batch.ts';
import { openRun } from './identity-runs.ts';
import { requireOpen, settleReplay, writeReplays } from './replays.ts';
import { DERIVE_STEPS, EVENTS, IDENTIFY_STEPS, QUARANTINE_STEPS, REBUILD, REFERENCE_STEPS } from './steps.ts';
import { BATCHES, FILES, LEDGER, SCHEMA_DRIFT, SOURCE_POSITIONS } from './store-tables.ts';
import { forgetWorkTables, runSteps, workTables } from './work-tables.ts';

/**
 * Applies a batch to all tables at once, the source positions included, or, when it throws, not at all.
 * Applying the same records again changes nothing but the ledger: they are duplicates.
 */
export async function applyBatch(context: ApplyContext, batch: Batch): Promise<CommittedBatch> {
  const { engine } = context;
  context.onStep?.('begin');
  let committed: CommittedBatch;
  try {
    if (batch.rebuildFrom !== undefined) await engine.run(`set variable rebuild_from = cast('${batch.rebuildFrom}' as timestamp)`);
    committed = await engine.transaction(() => applyInTransaction(context, batch));
  } catch (error) {
    forgetWorkTables(engine);
    throw error;
  } finally {
    if (batch.rebuildFrom !== undefined) await engine.run('set variable rebuild_from = null');
  }
  await rm(conflictsSegment(batch), { force: true });
  context.onStep?.('committed');
  return committed;
}

async function applyInTransaction(context: ApplyContext, batch: Batch): Promise<CommittedBatch> {
  const { engine } = context;
  const { batchId, settledFrom } = await nextBatch(engine);
  await requireOpen(engine, batch.replays);
  await engine.setVariables({ batch: batchId, cause: batch.cause, asOf: null, settledFrom });
  const filled = await stageTables(context, batch);
  if (batch.cause === 'model') filled.add(REBUILD);
  const events = EVENTS.some((table) => filled.has(table)) ? batch.chunks.reduce((sum, chunk) => sum + chunk.received - chunk.quarantined, 0) : 0;
  if (events > 0) await openRun(context, events, filled);
  await runSteps(context, IDENTIFY_STEPS, filled);
  const conflicts = filled.has('verdicts') ? await findConflicts(engine) : [];
  // Events that all came before change nothing but the books.
  if (workTables(engine).get('rejected') === events) for (const table of EVENTS) filled.delete(table);
  const derived = runSteps(context, [...REFERENCE_STEPS, ...DERIVE_STEPS], filled);
  // Only the quarantine needs their bytes: they are read while the engine works. A batch ends with nothing under way, however it ends.
  const raw = conflicts.length > 0 ? batch.readRaw(conflicts) : [];
  await Promise.allSettled([derived, raw]);
  await derived;
  if (conflicts.length > 0) await stageConflicts(context, batch, conflicts, await raw, filled);
  if (batch.replays === undefined) await runSteps(context, QUARANTINE_STEPS, filled);
  context.onStep?.('books');
  const outcome = await writeBooks(context, batch, batchId, filled);
  await batch.alsoCommit?.();
  context.onStep?.('commit');
  return outcome;
}

async function nextBatch(engine: Engine): Promise<{ readonly batchId: number; readonly settledFrom: SettledFrom }> {
  const [row] = await engine.rows<{ next: bigint; clicks: bigint; matches: bigint; conversions: bigint }>(
    `select (select coalesce(max(batch_id), 0) + 1 from store.batches) as next,
            micros(clicks_from) as clicks, micros(matches_from) as matches, micros(conversions_from) as conversions
     from store.settled`,
  );
  const { next = 1n, clicks = 0n, matches = 0n, conversions = 0n } = row ?? {};
  return { batchId: Number(next), settledFrom: { clicks, matches, conversions } };
}

/** Which staged tables the batch brings rows for; all of them can be read. */
async function stageTables({ engine, contracts }: ApplyContext, batch: Pick<Batch, 'chunks'>): Promise<Set<string>> {
  const tables = [
    ...EVENT_TYPES.map((type) => stagedEventTable(type, contracts)),
    ...REFERENCE_FEEDS.map((feed) => stagedReferenceTable(feed, contracts)),
    QUARANTINE_TABLE,
  ];
  const filled = new Set<string>();
  const held = workTables(engine);
  for (const table of tables) {
    const segments = batch.chunks.flatMap((chunk) => chunk.segments.filter((segment) => segment.table === table.name).map((segment) => segment.path));
    if (segments.length > 0) filled.add(table.name);
    else if (held.get(table.name) === 0) continue;
    await engine.stage(table, segments);
    held.set(table.name, segments.length > 0 ? 1 : 0);
  }
  return filled;
}

/** Records whose identity belongs to another content. */
async function findConflicts(engine: Engine): Promise<ConflictingRecord[]> {
  const rows = await engine.rows<{ event_type: EventType; source: string; position: bigint; received_at: bigint; event_key: string }>(
    "select event_type, source, position, received_at, event_key from verdicts where verdict = 'id_conflict' order by source, position",
  );
  return rows.map((row) => ({
    feed: EVENT_TABLES[row.event_type].feed,
    source: row.source,
    position: Number(row.position),
    receivedAtMicros: Number(row.received_at),
    eventKey: row.event_key.replaceAll('-', ''),
  }));
}

/** They join the quarantine, with their bytes as their source has them. */
async function stageConflicts(
  { engine }: ApplyContext,
  batch: Batch,
  conflicts: readonly ConflictingRecord[],
  raw: readonly RawRecord[],
  filled: Set<string>,
): Promise<void> {
  const path = conflictsSegment(batch);
  const stager = new QuarantineStager();
  for (const [index, conflict] of conflicts.entries()) {
    const record = raw[index];
    if (record === undefined) continue;
    stager.writer.startTextRun('source', conflict.source);
    stager.writer.startNumberRun('received_at', conflict.receivedAtMicros);
    stager.append(
      { ...conflict, encoding: record.encoding, delimiter: record.delimiter, contractVersion: record.contractVersion },
      conflict.position,
      [
        {
          code: 'id_conflict',
          pointer: '',
          message: `The event ${conflict.eventKey} was received before with other content; the first one stays. Correct the sender's ids, or the record.`,
        },
      ],
      record.raw,
    );
  }
  stager.writer.writeTo(path);
  const segments = batch.chunks.flatMap((chunk) => chunk.segments.filter((segment) => segment.table === QUARANTINE_TABLE.name).map((segment) => segment.path));
  await engine.stage(QUARANTINE_TABLE, [...segments, path]);
  filled.add(QUARANTINE_TABLE.name);
  workTables(engine).set(QUARANTINE_TABLE.name, 1);
}

function conflictsSegment({ stagingDirectory }: Batch): string {
  return join(stagingDirectory, 'conflicts-quarantine.parquet');
}

/** The ledger, the files, the batch itself: what proves the rest. */
async function writeBooks({ engine, nowMicros }: ApplyContext, batch: Batch, batchId: number, filled: ReadonlySet<string>): Promise<CommittedBatch> {
  const cells = new Map<string, OutcomeCounts & { source: string; feed: Feed; hour: number }>();
  const cellOf = (feed: Feed, source: string, receivedAtMicros: number) => {
    const hour = receivedAtMicros - (receivedAtMicros % 3_600_000_000);
    const key = `${feed} ${hour} ${source}`;
    const cell = cells.get(key) ?? { source, feed, hour, received: 0, accepted: 0, duplicate: 0, quarantined: 0 };
    cells.set(key, cell);
    return cell;
  };
  for (const chunk of batch.chunks) {
    for (const { source, received, quarantined } of partsOf(chunk)) {
      const cell = cellOf(chunk.feed, source, chunk.receivedAtMicros);
      cell.received += received;
      cell.quarantined += quarantined;
      cell.accepted += received - quarantined;
    }
  }
  for (const row of await rejections(engine, filled)) {
    const cell = cellOf(row.feed, row.source, row.receivedAtMicros);
    cell.accepted -= row.records;
    cell[row.outcome] += row.records;
  }
  if (batch.replays !== undefined) for (const cell of cells.values()) settleReplay(cell);
  const bySource = new Map<string, OutcomeCounts>();
  const outcomes: OutcomeCounts = { received: 0, accepted: 0, duplicate: 0, quarantined: 0 };
  for (const cell of cells.values()) {
    addCounts(outcomes, cell);
    const key = `${cell.feed} ${cell.source}`;
    const source = bySource.get(key) ?? { received: 0, accepted: 0, duplicate: 0, quarantined: 0 };
    bySource.set(key, source);
    addCounts(source, cell);
  }
  await engine.insert(
    LEDGER,
    [...cells.values()].map((cell) => ({ ...cell, batch_id: batchId })),
  );
  await writeFiles(engine, batch, batchId, bySource);
  await writePositions(engine, batch, batchId);
  await writeDrift(engine, batch, batchId);
  const restated = filled.has('store.retractions')
    ? Number((await engine.rows<{ restated: bigint }>('select count(*) as restated from store.retractions where batch_id = this_batch()'))[0]?.restated)
    : 0;
  await engine.insert(BATCHES, [{ batch_id: batchId, cause: batch.cause, committed_at: nowMicros(), ...outcomes, restated }]);
  await writeReplays(engine, batch, batchId, nowMicros());
  return { batchId, outcomes, bySource, restated };
}

interface Rejection {
  readonly feed: Feed;
  readonly source: string;
  readonly receivedAtMicros: number;
  readonly outcome: 'duplicate' | 'quarantined';
  readonly records: number;
}

async function rejections(engine: Engine, filled: ReadonlySet<string>): Promise<Rejection[]> {
  const events = filled.has('verdicts')
    ? await engine.rows<{ event_type: EventType; source: string; received_at: bigint; verdict: string; records: bigint }>(
        "select event_type, source, received_at, verdict, count(*) as records from verdicts where verdict <> 'accepted' group by all",
      )
    : [];
  const rejected: Rejection[] = events.map((row) => ({
    feed: EVENT_TABLES[row.event_type].feed,
    source: row.source,
    receivedAtMicros: Number(row.received_at),
    outcome: row.verdict === 'duplicate' ? 'duplicate' : 'quarantined',
    records: Number(row.records),
  }));
  for (const feed of REFERENCE_FEEDS) {
    const { table } = REFERENCE_TABLES[feed];
    if (!filled.has(table)) continue;
    const rows = await engine.rows<{ source: string; received_at: bigint; records: bigint }>(
      `select s.source, s.received_at, count(*) as records from reference_verdicts v join staged_${table} s on s.stage_row = v.stage_row where v.verdict = 'duplicate' group by all`,
    );
    rejected.push(
      ...rows.map((row) => ({
        feed,
        source: row.source,
        receivedAtMicros: Number(row.received_at),
        outcome: 'duplicate' as const,
        records: Number(row.records),
      })),
    );
  }
  return rejected;
}

async function writeFiles(engine: Engine, batch: Batch, batchId: number, bySource: ReadonlyMap<string, OutcomeCounts>): Promise<void> {
  if (batch.files.length === 0) return;
  const rows = await engine.rows<{ feed: string; sha256: string; records: bigint; accepted: bigint; duplicate: bigint; quarantined: bigint }>(
    `select feed, sha256, records, accepted, duplicate, quarantined from ops.files
     where not done and sha256 in (${batch.files.map(({ sha256 }) => `'${sha256}'`).join(', ')})`,
  );
  const inProgress = new Map(rows.map((row) => [`${row.feed} ${row.sha256}`, row]));
  await engine.insert(
    FILES,
    batch.files.map((file) => {
      const before = inProgress.get(`${file.feed} ${file.sha256}`);
      const counts = bySource.get(`${file.feed} ${file.path}`);
      return {
        path: file.path,
        feed: file.feed,
        sha256: file.sha256,
        encoding: file.encoding,
        bytes: file.bytes,
        records: Number(before?.records ?? 0) + (counts?.received ?? 0),
        accepted: Number(before?.accepted ?? 0) + (counts?.accepted ?? 0),
        duplicate: Number(before?.duplicate ?? 0) + (counts?.duplicate ?? 0),
        quarantined: Number(before?.quarantined ?? 0) + (counts?.quarantined ?? 0),
        done: file.done,
        complete: file.complete,
        received_at: file.receivedAtMicros,
        batch_id: batchId,
        version: file.version ?? null,
      };
    }),
  );
}

async function writePositions(engine: Engine, { positions = [] }: Batch, batchId: number): Promise<void> {
  await engine.insert(
    SOURCE_POSITIONS,
    positions.map(({ source, feed, nextEntry, nextRecord }) => ({ source, feed, next_entry: nextEntry, next_record: nextRecord, batch_id: batchId })),
  );
}

/** Fields that no contract knows. */
async function writeDrift(engine: Engine, { files, positions = [] }: Batch, batchId: number): Promise<void> {
  const sources = [...files.map(({ feed, path, unknownFields }) => ({ feed, source: path, unknownFields })), ...positions];
  await engine.insert(
    SCHEMA_DRIFT,
    sources.flatMap(({ feed, source, unknownFields }) => unknownFields.map(([field, records]) => ({ feed, source, field, records, batch_id: batchId }))),
  );
}
