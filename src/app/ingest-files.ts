import { rm } from 'node:fs/promises';
import { applyBatch } from '../batches/apply-batch.ts';
import type { CommittedBatch, ConflictingRecord, FileProgress, OutcomeCounts, SourceChunk } from '../batches/batch.ts';
import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import { type Feed, REFERENCE_FEEDS } from '../domain/feeds.ts';
import type { DecodedFile, EdgeSettings } from '../ingest/decode-file.ts';
import type { DecodePool } from '../ingest/decode-pool.ts';
import { decodingFailure } from '../ingest/decoding-failure.ts';
import { openPool } from '../ingest/open-pool.ts';
import { readRawRecords } from '../ingest/read-raw-records.ts';
import type { RawRecord, StagedChunk } from '../staging/staged-chunk.ts';
import { edgeSettings } from './edge-settings.ts';
import type { Instance } from './instance.ts';
import {
  type FoundFile,
  findFiles,
  type IngestedFile,
  IngestPlan,
  type IngestRequest,
  type KnownFile,
  NO_RECORDS,
  type PlannedFile,
  takenFiles,
} from './plan-ingest.ts';

export type { IngestedFile, IngestRequest } from './plan-ingest.ts';

export interface IngestProgress {
  readonly stage: 'looking' | 'ingesting' | 'finishing';
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly recordsCommitted: number;
  readonly batches: number;
}

export interface IngestSummary {
  readonly files: readonly IngestedFile[];
  readonly batches: readonly number[];
  readonly outcomes: OutcomeCounts;
  readonly restated: number;
}

/** Files become batches: reference data first, because events are resolved with it, then events. */
export async function ingestFiles(
  instance: Instance,
  requests: readonly IngestRequest[],
  onProgress: (progress: IngestProgress) => void = () => undefined,
): Promise<IngestSummary> {
  const ingest = new FileIngest(instance, onProgress);
  const stop = () => void ingest.close();
  instance.signal?.addEventListener('abort', stop);
  try {
    return await ingest.run(requests);
  } finally {
    instance.signal?.removeEventListener('abort', stop);
    await ingest.close();
  }
}

interface HashedFile extends FoundFile {
  /** SHA-256 of its bytes, in hex. */
  readonly hash: Promise<string>;
}

interface PendingBatch {
  chunks: SourceChunk[];
  files: Map<PlannedFile, FileProgress>;
  records: number;
}

class FileIngest {
  private readonly instance: Instance;
  private readonly onProgress: (progress: IngestProgress) => void;
  private pool: DecodePool | undefined;
  private edge: EdgeSettings | undefined;
  private found: readonly FoundFile[] = [];
  private plan: IngestPlan | undefined;
  private readonly committed: CommittedBatch[] = [];
  private readonly receivedAtMicros: number;
  private pending: PendingBatch = { chunks: [], files: new Map(), records: 0 };
  private applying: Promise<void> | undefined;
  /** Once it is set no batch is begun: a later batch without the one that failed would leave its records out for good. */
  private failure: unknown;
  private bytesTotal = 0;
  private readonly bytesRead = new Map<string, number>();

  constructor(instance: Instance, onProgress: (progress: IngestProgress) => void) {
    this.instance = instance;
    this.onProgress = onProgress;
    this.receivedAtMicros = instance.nowMicros();
  }

  async run(requests: readonly IngestRequest[]): Promise<IngestSummary> {
    try {
      return await this.takeFiles(requests);
    } catch (error) {
      this.fail(error);
      throw this.failure;
    }
  }

  private async takeFiles(requests: readonly IngestRequest[]): Promise<IngestSummary> {
    const { instance } = this;
    this.edge = await edgeSettings(instance);
    this.found = await findFiles(requests);
    const { found } = this;
    this.requireGoing();
    this.bytesTotal = found.reduce((sum, { file }) => sum + file.bytes, 0);
    this.report('looking');
    this.plan = new IngestPlan(instance, found, await takenFiles(instance, found), this.receivedAtMicros);
    this.requireGoing();
    this.pool = openPool(this.bytesTotal, this.edge, instance.settings.limits.workers);
    const { pool } = this;
    // Events are hashed while reference data is applied, which they are resolved with.
    const hashed = found.map((file) => ({ ...file, hash: pool.hash(file.file.path) }));
    for (const { hash } of hashed) hash.catch(() => undefined);
    const isReference = ({ request }: FoundFile) => (REFERENCE_FEEDS as readonly Feed[]).includes(request.feed);
    await this.take(hashed.filter(isReference), 'reference');
    if (this.committed.length > 0) {
      this.edge = await edgeSettings(instance);
      pool.useSettings(this.edge);
    }
    await this.take(
      hashed.filter((file) => !isReference(file)),
      'late',
    );
    this.report('finishing');
    return this.summary(this.plan);
  }

  /** A file whose own hash is known is decoded while those after it are hashed. */
  private async take(files: readonly HashedFile[], cause: 'late' | 'reference'): Promise<void> {
    const plan = this.plan as IngestPlan;
    const decoding: Promise<void>[] = [];
    for (const found of files) {
      const planned = await plan.add(found, await found.hash);
      if (planned === undefined) this.bytesRead.set(found.file.path, found.file.bytes);
      else decoding.push(this.decode(planned, cause).catch((error) => this.fail(error)));
    }
    await Promise.all(decoding);
    await this.applying;
    this.requireGoing();
    if (this.pending.chunks.length > 0 || this.pending.files.size > 0) await this.apply(cause);
  }

  /** Ends what is under way: a batch that runs is waited for, no other is begun. */
  async close(): Promise<void> {
    this.failure ??= interrupted();
    await Promise.all([this.applying, this.pool?.close()]);
  }

  /** The first failure ends everything, and is the one that is told. */
  private fail(error: unknown): void {
    this.failure ??= error;
    void this.pool?.close();
  }

  private requireGoing(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private async decode(file: PlannedFile, cause: 'late' | 'reference'): Promise<void> {
    const pool = this.pool as DecodePool;
    const decoded = await pool.decode(file.job, (chunk, bytesRead) => this.takeChunk(file, chunk, bytesRead, cause));
    this.finishFile(file, decoded);
    await this.applyIfFull(cause);
  }

  /** A chunk waits for the engine once as much is staged as two batches hold. */
  private async takeChunk(file: PlannedFile, chunk: StagedChunk, bytesRead: number, cause: 'late' | 'reference'): Promise<void> {
    this.requireGoing();
    this.bytesRead.set(file.path, bytesRead);
    this.addChunk(file, chunk, undefined);
    await this.applyIfFull(cause);
  }

  private finishFile(file: PlannedFile, decoded: DecodedFile): void {
    this.requireGoing();
    this.bytesRead.set(file.path, file.bytes);
    for (const chunk of decoded.lastChunks) this.addChunk(file, chunk, undefined);
    this.addChunk(file, undefined, decoded);
  }

  private addChunk(file: PlannedFile, chunk: StagedChunk | undefined, end: DecodedFile | undefined): void {
    const { pending } = this;
    if (chunk !== undefined) {
      pending.chunks.push({ ...chunk, feed: file.request.feed, source: file.source, receivedAtMicros: file.job.receivedAtMicros });
      pending.records += chunk.received;
    }
    pending.files.set(file, {
      path: file.source,
      feed: file.request.feed,
      sha256: file.sha256,
      encoding: file.encoding,
      bytes: file.bytes,
      receivedAtMicros: file.job.receivedAtMicros,
      done: end !== undefined,
      complete: end?.complete ?? true,
      unknownFields: end?.unknownFields ?? [],
    });
    this.report('ingesting');
  }

  private async applyIfFull(cause: 'late' | 'reference'): Promise<void> {
    this.requireGoing();
    if (this.pending.records < this.instance.settings.limits.batch_records) return;
    if (this.applying !== undefined) await this.applying;
    this.requireGoing();
    if (this.applying === undefined && this.pending.records >= this.instance.settings.limits.batch_records) {
      this.applying = this.apply(cause)
        .catch((error) => this.fail(error))
        .finally(() => {
          this.applying = undefined;
        });
    }
  }

  private async apply(cause: 'late' | 'reference'): Promise<void> {
    const { instance } = this;
    const { chunks, files } = this.pending;
    this.pending = { chunks: [], files: new Map(), records: 0 };
    const committed = await applyBatch(instance, {
      cause,
      chunks,
      files: [...files.values()],
      stagingDirectory: instance.directory.staging,
      readRaw: (records) => this.readRaw(records, chunks),
    });
    this.committed.push(committed);
    for (const chunk of chunks) for (const segment of chunk.segments) await rm(segment.path, { force: true });
    this.report('ingesting');
  }

  /** The bytes of records, read from their files again: conflicts are too rare to keep every record's bytes for. */
  private async readRaw(records: readonly ConflictingRecord[], chunks: readonly SourceChunk[]): Promise<RawRecord[]> {
    const files = new Map((this.plan as IngestPlan).planned.map((file) => [`${file.request.feed} ${file.source}`, file]));
    const positions = new Map<PlannedFile, number[]>();
    for (const record of records) {
      const file = files.get(`${record.feed} ${record.source}`) as PlannedFile;
      positions.set(file, [...(positions.get(file) ?? []), record.position]);
    }
    const raw = new Map<PlannedFile, Map<number, RawRecord>>();
    for (const [file, wanted] of positions) {
      const points = chunks.filter((chunk) => chunk.source === file.source && chunk.feed === file.request.feed).flatMap((chunk) => chunk.resumePoints);
      const reading = readRawRecords(file.job, this.edge as EdgeSettings, wanted, points);
      raw.set(file, await reading.catch((error) => Promise.reject(decodingFailure(file.path, error))));
    }
    return records.map((record) => {
      const found = raw.get(files.get(`${record.feed} ${record.source}`) as PlannedFile)?.get(record.position);
      if (found === undefined)
        throw new AdvertiseXError(
          'source_changed',
          `Record ${record.position} of ${record.source} is not there any more`,
          'Run the same command again once the file is complete.',
        );
      return found;
    });
  }

  private report(stage: IngestProgress['stage']): void {
    let bytesRead = 0;
    for (const bytes of this.bytesRead.values()) bytesRead += bytes;
    this.onProgress({
      stage,
      bytesRead,
      bytesTotal: this.bytesTotal,
      recordsCommitted: this.committed.reduce((sum, batch) => sum + batch.outcomes.received, 0),
      batches: this.committed.length,
    });
  }

  private async summary({ planned, known }: IngestPlan): Promise<IngestSummary> {
    const taken = await takenFiles(this.instance, this.found);
    const describe = (state: IngestedFile['state'], { source, request, sha256 }: KnownFile): IngestedFile => {
      const { complete, outcomes } = taken.get(`${request.feed} ${sha256}`) ?? { complete: true, outcomes: NO_RECORDS };
      return { path: source, feed: request.feed, state, complete, outcomes };
    };
    const outcomes = { received: 0, accepted: 0, duplicate: 0, quarantined: 0 };
    for (const batch of this.committed) {
      outcomes.received += batch.outcomes.received;
      outcomes.accepted += batch.outcomes.accepted;
      outcomes.duplicate += batch.outcomes.duplicate;
      outcomes.quarantined += batch.outcomes.quarantined;
    }
    return {
      files: [...planned.map((file) => describe('taken', file)), ...known.map((file) => describe('known', file))],
      batches: this.committed.map((batch) => batch.batchId),
      outcomes,
      restated: this.committed.reduce((sum, batch) => sum + batch.restated, 0),
    };
  }
}
