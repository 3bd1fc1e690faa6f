import { rm } from 'node:fs/promises';
import { applyBatch } from '../batches/apply-batch.ts';
import type { BatchCause, CommittedBatch, ConflictingRecord, FileProgress, OutcomeCounts, SourceChunk } from '../batches/batch.ts';
import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import { EVENT_FEEDS, type Feed } from '../domain/feeds.ts';
import type { DecodedFile, DecodeJob, EdgeSettings } from '../ingest/decode-file.ts';
import type { DecodePool, TakeChunk } from '../ingest/decode-pool.ts';
import { decodingFailure } from '../ingest/decoding-failure.ts';
import { openPool } from '../ingest/open-pool.ts';
import { RawRecordReader } from '../ingest/read-raw-records.ts';
import type { RawRecord } from '../staging/staged-chunk.ts';
import { edgeSettings } from './edge-settings.ts';
import { IngestStage, type StagedIngest } from './ingest-stage.ts';
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

/**
 * Files become batches: currency rates first, because amounts are converted with them when events are decoded; then the other
 * reference data, because events are resolved with it when they are applied; then events.
 */
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

class FileIngest implements StagedIngest {
  readonly batchRecords: number;
  private readonly instance: Instance;
  private readonly onProgress: (progress: IngestProgress) => void;
  private pool: DecodePool | undefined;
  private edge: EdgeSettings | undefined;
  private found: readonly FoundFile[] = [];
  private plan: IngestPlan | undefined;
  private readonly committed: CommittedBatch[] = [];
  private readonly receivedAtMicros: number;
  private readonly stages: IngestStage[] = [];
  private failure: unknown;
  private bytesTotal = 0;
  private readonly bytesRead = new Map<string, number>();

  constructor(instance: Instance, onProgress: (progress: IngestProgress) => void) {
    this.instance = instance;
    this.batchRecords = instance.settings.limits.batch_records;
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
    const rates = this.stage('reference', Promise.resolve());
    await this.take(rates, this.hash(['currency-rates']));
    const converting = rates.end().then(() => this.useCommittedRates());
    const reference = this.stage('reference', converting);
    await this.take(reference, this.hash(['campaigns', 'creatives', 'users']));
    const events = this.stage('late', reference.end());
    const hashed = this.hash(EVENT_FEEDS);
    await converting;
    await this.take(events, hashed);
    await events.end();
    this.report('finishing');
    return this.summary(this.plan);
  }

  private stage(cause: BatchCause, before: Promise<void>): IngestStage {
    const stage = new IngestStage(this, cause, before);
    this.stages.push(stage);
    return stage;
  }

  private hash(feeds: readonly Feed[]): HashedFile[] {
    const hashed = this.found
      .filter(({ request }) => feeds.includes(request.feed))
      .map((found) => ({ ...found, hash: (this.pool as DecodePool).hash(found.file.path) }));
    for (const { hash } of hashed) hash.catch(() => undefined);
    return hashed;
  }

  /** A file whose own hash is known is decoded while those after it are hashed. */
  private async take(stage: IngestStage, files: readonly HashedFile[]): Promise<void> {
    for (const found of files) {
      const planned = await (this.plan as IngestPlan).add(found, await found.hash);
      if (planned === undefined) this.bytesRead.set(found.file.path, found.file.bytes);
      else stage.take(planned);
    }
  }

  private async useCommittedRates(): Promise<void> {
    if (this.committed.length === 0) return;
    this.edge = await edgeSettings(this.instance);
    this.pool?.useSettings(this.edge);
  }

  /** Ends what is under way: a batch that runs is waited for, no other is begun. */
  async close(): Promise<void> {
    this.failure ??= interrupted();
    await Promise.all([...this.stages.map((stage) => stage.rest()), this.pool?.close()]);
  }

  /** The first failure is the one that is told. */
  fail(error: unknown): void {
    this.failure ??= error;
    void this.pool?.close();
  }

  requireGoing(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  decode(job: DecodeJob, takeChunk: TakeChunk): Promise<DecodedFile> {
    return (this.pool as DecodePool).decode(job, takeChunk);
  }

  tookFrom(file: PlannedFile, bytesRead: number): void {
    this.bytesRead.set(file.path, bytesRead);
    this.report('ingesting');
  }

  async apply(cause: BatchCause, chunks: readonly SourceChunk[], files: readonly FileProgress[]): Promise<void> {
    const { instance } = this;
    const committed = await applyBatch(instance, {
      cause,
      chunks,
      files,
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
    const reader = new RawRecordReader(this.edge as EdgeSettings);
    const raw = new Map<PlannedFile, Map<number, RawRecord>>();
    for (const [file, wanted] of positions) {
      this.requireGoing();
      const points = chunks.filter((chunk) => chunk.source === file.source && chunk.feed === file.request.feed).flatMap((chunk) => chunk.resumePoints);
      const reading = reader.read(file.job, wanted, points);
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
