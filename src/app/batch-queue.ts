import { type Batch, type CommittedBatch, type ConflictingRecord, partsOf, type SourceChunk } from '../batches/batch.ts';
import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import type { RawRecord } from '../staging/staged-chunk.ts';

export type CommitListener = (committed: CommittedBatch, batch: Batch) => void;

interface WaitingBatch {
  readonly batch: Batch;
  readonly done: PromiseWithResolvers<CommittedBatch>;
}

type Job = WaitingBatch | { readonly work: () => Promise<void> };

/**
 * All that writes to the tables of an instance, one thing after the other: in the order that it was asked for, but for batches that go with an earlier one. Sources go on beside
 * each other: what several of them have ready while a batch runs goes together in the next one, so that a batch costs what it costs once.
 */
export class BatchQueue {
  private readonly applyBatch: (batch: Batch) => Promise<CommittedBatch>;
  private jobs: Job[] = [];
  private isClosed = false;
  private running: Promise<void> | undefined;
  private readonly listeners = new Set<CommitListener>();

  constructor(applyBatch: (batch: Batch) => Promise<CommittedBatch>) {
    this.applyBatch = applyBatch;
  }

  /**
   * Resolves with the batch that the rows went into: it may have those of other sources too, which `bySource` tells apart. Where a batch
   * of several fails, each is applied by itself: only who is the cause of it is told.
   */
  apply(batch: Batch): Promise<CommittedBatch> {
    const done = Promise.withResolvers<CommittedBatch>();
    this.add({ batch, done }, done);
    return done.promise;
  }

  /** A batch that is committed by other work than its rows. */
  applyBy(batch: Batch, work: () => Promise<CommittedBatch>): Promise<CommittedBatch> {
    return this.alone(async () => {
      const committed = await work();
      this.tell(committed, batch);
      return committed;
    });
  }

  /** Other work on the tables, while no batch runs. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = Promise.withResolvers<T>();
    this.add({ work: () => work().then(done.resolve, done.reject) }, done);
    return done.promise;
  }

  /** Told of each batch once it is committed, before whoever asked for it. Says how to hear no more. */
  onCommitted(listener: CommitListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Ends once all that was asked for before is done; what is asked for from now on is refused. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.running;
  }

  /** A batch that is committed stays so, whatever becomes of the news. */
  private tell(committed: CommittedBatch, batch: Batch): void {
    for (const listener of this.listeners) {
      try {
        listener(committed, batch);
      } catch (error) {
        process.emitWarning(error as Error);
      }
    }
  }

  private add(job: Job, { reject }: Pick<PromiseWithResolvers<never>, 'reject'>): void {
    if (this.isClosed) reject(interrupted());
    else {
      this.jobs.push(job);
      this.running ??= this.run();
    }
  }

  private async run(): Promise<void> {
    for (let job = this.jobs.shift(); job !== undefined; job = this.jobs.shift()) {
      if ('work' in job) await job.work();
      else await this.applyTogether([job, ...this.takeAlike(job.batch)]);
    }
    this.running = undefined;
  }

  private takeAlike(first: Batch): WaitingBatch[] {
    const alike = this.jobs.filter((job): job is WaitingBatch => 'batch' in job && goTogether(first, job.batch));
    this.jobs = this.jobs.filter((job) => !alike.includes(job as WaitingBatch));
    return alike;
  }

  private async applyTogether(waiting: readonly WaitingBatch[]): Promise<void> {
    const batch = joinBatches(waiting.map((each) => each.batch));
    let committed: CommittedBatch;
    try {
      committed = await this.applyBatch(batch);
    } catch (error) {
      const isOver = waiting.length === 1 || (error instanceof AdvertiseXError && error.code === 'interrupted');
      if (isOver) for (const { done } of waiting) done.reject(error);
      else for (const each of waiting) await this.applyTogether([each]);
      return;
    }
    this.tell(committed, batch);
    for (const { done } of waiting) done.resolve(committed);
  }
}

/** What a batch commits beside its rows holds for that batch alone. */
function goTogether(a: Batch, b: Batch): boolean {
  const hasMore = (batch: Batch) => batch.replays !== undefined || batch.alsoCommit !== undefined;
  return a.cause === b.cause && !hasMore(a) && !hasMore(b);
}

function joinBatches(batches: readonly Batch[]): Batch {
  const [first] = batches as [Batch];
  if (batches.length === 1) return first;
  return {
    cause: first.cause,
    chunks: batches.flatMap(({ chunks }) => chunks),
    files: batches.flatMap(({ files }) => files),
    positions: batches.flatMap(({ positions = [] }) => positions),
    stagingDirectory: first.stagingDirectory,
    readRaw: (records) => readRawOf(batches, records),
  };
}

/** Each batch has the bytes of its own sources. */
async function readRawOf(batches: readonly Batch[], records: readonly ConflictingRecord[]): Promise<RawRecord[]> {
  const sourceOf = ({ feed }: Pick<SourceChunk, 'feed'>, source: string) => `${feed} ${source}`;
  const raw = new Map<ConflictingRecord, RawRecord>();
  for (const batch of batches) {
    const sources = new Set(batch.chunks.flatMap((chunk) => partsOf(chunk).map(({ source }) => sourceOf(chunk, source))));
    const own = records.filter((record) => sources.has(sourceOf(record, record.source)));
    if (own.length === 0) continue;
    for (const [index, found] of (await batch.readRaw(own)).entries()) raw.set(own[index] as ConflictingRecord, found);
  }
  return records.map((record) => raw.get(record) as RawRecord);
}
