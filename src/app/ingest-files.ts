import { rm } from 'node:fs/promises';
import { addCounts, type BatchCause, type CommittedBatch, type FileProgress, type OutcomeCounts, type SourceChunk } from '../batches/batch.ts';
import { AdvertiseXError, type ErrorCode, interrupted } from '../domain/errors.ts';
import { EVENT_FEEDS, type Feed } from '../domain/feeds.ts';
import type { DecodedFile } from '../ingest/decode-file.ts';
import type { TakeChunk } from '../ingest/decode-pool.ts';
import type { EdgeSettings } from '../ingest/edge-settings.ts';
import { makeStagingFolder } from './data-directory.ts';
import { edgeSettings } from './edge-settings.ts';
import { IngestStage, type StagedIngest } from './ingest-stage.ts';
import type { Instance } from './instance.ts';
import { type IngestedFile, IngestPlan, type KnownFile, NO_RECORDS, type PlannedFile, takenFiles, useKnownVersions } from './plan-ingest.ts';
import { readFromFiles } from './read-from-files.ts';
import { type IngestRequest, SourceFiles } from './source-files.ts';

export type { IngestedFile } from './plan-ingest.ts';
export type { IngestRequest } from './source-files.ts';

export interface IngestProgress {
  readonly stage: 'looking' | 'ingesting' | 'finishing';
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly recordsCommitted: number;
  readonly batches: number;
}

/** What an ingest beside other sources is told; by itself it needs none of it. */
export interface IngestManner {
  /** Stops this ingest alone. */
  readonly signal?: AbortSignal;
  /** A batch holds so many records at most (default: about limits.batch_records, or more where more is there). */
  readonly batchRecords?: number;
  /** Ingests at the same time have lanes of their own, from 0 to MORE_LANES. */
  readonly lane?: number;
  /** Told of a file that cannot be read or decoded, which is then passed over. Without it such a file ends the ingest. */
  readonly onUnreadable?: (path: string, error: AdvertiseXError) => void;
  /** Told at the end of each file that was not passed over, with the path that it was read from. */
  readonly onSettled?: (path: string, file: IngestedFile) => void;
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
  onProgress?: (progress: IngestProgress) => void,
): Promise<IngestSummary> {
  const { limits, s3 } = instance.settings;
  return ingestSources(instance, await SourceFiles.open(requests, limits.workers, s3, instance.signal), onProgress);
}

/** The same, of files that were opened before the instance; they are closed at the end. */
export async function ingestSources(
  instance: Instance,
  sources: SourceFiles,
  onProgress: (progress: IngestProgress) => void = () => undefined,
  manner: IngestManner = {},
): Promise<IngestSummary> {
  const ingest = new FileIngest(instance, sources, onProgress, manner);
  const stop = () => void ingest.close();
  const signals = [instance.signal, manner.signal].filter((signal) => signal !== undefined);
  for (const signal of signals) signal.addEventListener('abort', stop);
  try {
    if (signals.some(({ aborted }) => aborted)) throw interrupted();
    return await ingest.run();
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', stop);
    await ingest.close();
    await ingest.letGo();
  }
}

/** They are one file's alone. */
const FILE_FAILURES: readonly ErrorCode[] = ['source_unreadable', 'source_changed', 'worker_failed'];

class FileIngest implements StagedIngest {
  readonly batchRecords: number;
  readonly isBounded: boolean;
  private readonly instance: Instance;
  private readonly onProgress: (progress: IngestProgress) => void;
  private readonly sources: SourceFiles;
  private edge: EdgeSettings | undefined;
  private plan: IngestPlan | undefined;
  private readonly committed: CommittedBatch[] = [];
  /** Of these files alone: a batch may have the records of other sources too. */
  private readonly outcomes: OutcomeCounts = { ...NO_RECORDS };
  private readonly receivedAtMicros: number;
  private readonly stages: IngestStage[] = [];
  private failure: unknown;
  private readonly bytesRead = new Map<string, number>();
  private readonly manner: IngestManner;
  /** By feed and content. */
  private readonly untaken = new Map<string, PlannedFile>();
  private readonly passedOver = new Set<PlannedFile>();
  private readonly stopListening: () => void;
  private stagingFolder: string | undefined;

  constructor(instance: Instance, sources: SourceFiles, onProgress: (progress: IngestProgress) => void, manner: IngestManner) {
    this.instance = instance;
    this.sources = sources;
    this.manner = manner;
    this.isBounded = manner.batchRecords !== undefined;
    this.batchRecords = manner.batchRecords ?? instance.settings.limits.batch_records;
    // Also rates that other sources brought: for the files that are decoded from then on.
    this.stopListening = instance.batches.onCommitted((_, { chunks }) => {
      if (this.edge !== undefined && chunks.some(({ feed }) => feed === 'currency-rates')) void this.useRates().catch((error) => this.fail(error));
    });
    this.onProgress = onProgress;
    this.receivedAtMicros = instance.nowMicros();
  }

  async run(): Promise<IngestSummary> {
    try {
      return await this.takeFiles();
    } catch (error) {
      this.fail(error);
      throw this.failure;
    }
  }

  private async takeFiles(): Promise<IngestSummary> {
    const { instance, sources } = this;
    this.requireGoing();
    this.report('looking');
    await this.useRates();
    const lane = this.manner.lane ?? 0;
    this.stagingFolder = await makeStagingFolder(instance.directory, `ingest-${lane}`);
    sources.useFolder(this.stagingFolder, () => instance.disk.requireRoom());
    const taken = await takenFiles(instance, sources.found);
    useKnownVersions(sources.found, taken);
    this.plan = new IngestPlan(instance.batches, sources.found, taken, {
      directory: this.stagingFolder,
      lane,
      chunkRecords: this.batchRecords,
      receivedAtMicros: this.receivedAtMicros,
    });
    this.requireGoing();
    const rates = this.stage('reference', Promise.resolve());
    await this.take(rates, ['currency-rates']);
    const converting = rates.end().then(() => (this.committed.length === 0 ? undefined : this.useRates()));
    const reference = this.stage('reference', converting);
    await this.take(reference, ['campaigns', 'creatives', 'users']);
    const events = this.stage('late', reference.end());
    await converting;
    await this.take(events, EVENT_FEEDS);
    await events.end();
    this.report('finishing');
    return this.summary(this.plan);
  }

  private stage(cause: BatchCause, before: Promise<void>): IngestStage {
    const stage = new IngestStage(this, cause, before);
    this.stages.push(stage);
    return stage;
  }

  /** A file whose own hash is known is decoded while those after it are hashed. */
  private async take(stage: IngestStage, feeds: readonly Feed[]): Promise<void> {
    const plan = this.plan as IngestPlan;
    for (const found of this.sources.of(feeds)) {
      const { path, bytes } = found.file;
      try {
        await this.sources.room();
        const planned = await plan.add(found, await found.content.hash());
        if (planned === undefined) {
          this.bytesRead.set(path, bytes);
          await found.content.letGo();
        } else {
          this.untaken.set(`${planned.request.feed} ${planned.sha256}`, planned);
          await stage.room();
          stage.take(planned);
        }
      } catch (error) {
        await found.content.letGo();
        if (!this.canPassOver(path, error)) throw error;
      }
    }
  }

  private canPassOver(path: string, error: unknown): boolean {
    const { onUnreadable } = this.manner;
    if (onUnreadable === undefined || !(error instanceof AdvertiseXError) || !FILE_FAILURES.includes(error.code)) return false;
    onUnreadable(path, error);
    return true;
  }

  passOver(file: PlannedFile, error: unknown): boolean {
    if (this.failure !== undefined || !this.canPassOver(file.path, error)) return false;
    this.passedOver.add(file);
    return true;
  }

  /** Those that are committed. */
  private async useRates(): Promise<void> {
    this.edge = await edgeSettings(this.instance);
    this.sources.pool.useSettings(this.edge);
  }

  /** Once it is closed. */
  async letGo(): Promise<void> {
    this.stopListening();
    this.plan?.close(this.untaken.values());
    if (this.stagingFolder !== undefined) await rm(this.stagingFolder, { recursive: true, force: true });
  }

  /** Ends what is under way: a batch that runs is waited for, no other is begun. */
  async close(): Promise<void> {
    this.failure ??= interrupted();
    await Promise.all([...this.stages.map((stage) => stage.rest()), this.sources.close()]);
  }

  /** The first failure is the one that is told. */
  fail(error: unknown): void {
    this.failure ??= error;
    void this.sources.close();
  }

  requireGoing(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  async decode({ job, content }: PlannedFile, takeChunk: TakeChunk): Promise<DecodedFile> {
    try {
      return await this.sources.pool.decode(job, takeChunk);
    } finally {
      await content.letGo();
    }
  }

  tookFrom(file: PlannedFile, bytesRead: number): void {
    this.bytesRead.set(file.path, bytesRead);
    this.report('ingesting');
  }

  async apply(cause: BatchCause, chunks: readonly SourceChunk[], files: readonly FileProgress[]): Promise<void> {
    const { instance } = this;
    await instance.disk.requireRoom();
    // Beside others, a batch that runs may have their records too: it is not stopped.
    const goOn = () => (this.manner.signal === undefined ? this.requireGoing() : undefined);
    const committed = await instance.batches.apply({
      cause,
      chunks,
      files,
      stagingDirectory: instance.directory.staging,
      readRaw: (records) => readFromFiles(records, chunks, this.plan as IngestPlan, this.edge as EdgeSettings, goOn),
    });
    this.committed.push(committed);
    for (const { done, feed, sha256 } of files) if (done) this.untaken.delete(`${feed} ${sha256}`);
    for (const source of new Set(chunks.map((chunk) => `${chunk.feed} ${chunk.source}`)))
      addCounts(this.outcomes, committed.bySource.get(source) ?? NO_RECORDS);
    for (const chunk of chunks) for (const segment of chunk.segments) await rm(segment.path, { force: true });
    this.report('ingesting');
  }

  private report(stage: IngestProgress['stage']): void {
    let bytesRead = 0;
    for (const bytes of this.bytesRead.values()) bytesRead += bytes;
    this.onProgress({
      stage,
      bytesRead,
      bytesTotal: this.sources.bytes,
      recordsCommitted: this.outcomes.received,
      batches: this.committed.length,
    });
  }

  private async summary({ planned, known }: IngestPlan): Promise<IngestSummary> {
    const taken = await takenFiles(this.instance, this.sources.found);
    const describe = (state: IngestedFile['state'], { path, source, request, sha256 }: KnownFile): IngestedFile => {
      const { complete, done, outcomes } = taken.get(`${request.feed} ${sha256}`) ?? { complete: true, done: false, outcomes: NO_RECORDS };
      const file = { path: source, feed: request.feed, state, complete, done, outcomes };
      this.manner.onSettled?.(path, file);
      return file;
    };
    return {
      files: [...planned.filter((file) => !this.passedOver.has(file)).map((file) => describe('taken', file)), ...known.map((file) => describe('known', file))],
      batches: this.committed.map((batch) => batch.batchId),
      outcomes: this.outcomes,
      restated: this.committed.reduce((sum, batch) => sum + batch.restated, 0),
    };
  }
}
