import type { BatchCause, FileProgress, SourceChunk } from '../batches/batch.ts';
import type { DecodedFile, DecodeJob } from '../ingest/decode-file.ts';
import type { TakeChunk } from '../ingest/decode-pool.ts';
import type { StagedChunk } from '../staging/staged-chunk.ts';
import type { PlannedFile } from './plan-ingest.ts';

/** What stages ask of the ingest that they belong to. */
export interface StagedIngest {
  readonly batchRecords: number;
  decode(job: DecodeJob, takeChunk: TakeChunk): Promise<DecodedFile>;
  apply(cause: BatchCause, chunks: readonly SourceChunk[], files: readonly FileProgress[]): Promise<void>;
  tookFrom(file: PlannedFile, bytesRead: number): void;
  /** Whether the ingest goes on without a file that could not be read to its end. */
  passOver(file: PlannedFile, error: unknown): boolean;
  /** Ends the ingest. A later batch without one that failed would leave its records out for good. */
  fail(error: unknown): void;
  /** Throws once the ingest has failed or is to stop: then no batch is begun. */
  requireGoing(): void;
}

interface PendingBatch {
  readonly chunks: SourceChunk[];
  readonly files: Map<PlannedFile, FileProgress>;
  records: number;
}

/**
 * Files whose batches have one cause, and come after those of the stage before it. Its files are decoded meanwhile: of the stages
 * before it they need nothing but workers, so that each stage must be given all its files before the next one is given any.
 */
export class IngestStage {
  private readonly ingest: StagedIngest;
  private readonly cause: BatchCause;
  private readonly decoding: Promise<void>[] = [];
  private pending: PendingBatch = emptyBatch();
  /** What the next batch waits for, the stage before or a batch of this one; it never rejects. */
  private applying: Promise<void> | undefined;

  constructor(ingest: StagedIngest, cause: BatchCause, before: Promise<void>) {
    this.ingest = ingest;
    this.cause = cause;
    this.holdFor(before);
  }

  take(file: PlannedFile): void {
    const decoding = this.decode(file).catch((error) => (this.ingest.passOver(file, error) ? this.leaveOut(file) : this.ingest.fail(error)));
    this.decoding.push(decoding);
  }

  /** What waits of a file that could not be read to its end; what is committed of it stays, as of any file that was stopped at. */
  private leaveOut(file: PlannedFile): void {
    const { chunks, files } = this.pending;
    const isOfFile = ({ feed, source }: SourceChunk) => feed === file.request.feed && source === file.source;
    const left = chunks.filter(isOfFile);
    this.pending = {
      chunks: chunks.filter((chunk) => !isOfFile(chunk)),
      files,
      records: this.pending.records - left.reduce((sum, { received }) => sum + received, 0),
    };
    files.delete(file);
  }

  /** Given all its files: until all of them is committed. */
  async end(): Promise<void> {
    await Promise.all(this.decoding);
    await this.applying;
    this.ingest.requireGoing();
    if (this.pending.files.size > 0) this.holdFor(this.applyPending());
    await this.applying;
    this.ingest.requireGoing();
  }

  /** Until no batch runs. */
  async rest(): Promise<void> {
    await this.applying;
  }

  private async decode(file: PlannedFile): Promise<void> {
    const { ingest } = this;
    const { lastChunks, complete, unknownFields } = await ingest.decode(file.job, (chunk, bytesRead) => this.takeChunk(file, chunk, bytesRead));
    ingest.requireGoing();
    for (const chunk of lastChunks) this.addChunk(file, chunk);
    this.addProgress(file, { done: true, complete, unknownFields });
    ingest.tookFrom(file, file.bytes);
    await this.applyIfFull();
  }

  /** A chunk waits for the engine once as much is staged as two batches hold. */
  private async takeChunk(file: PlannedFile, chunk: StagedChunk, bytesRead: number): Promise<void> {
    this.ingest.requireGoing();
    this.addChunk(file, chunk);
    this.addProgress(file, { done: false, complete: true, unknownFields: [] });
    this.ingest.tookFrom(file, bytesRead);
    await this.applyIfFull();
  }

  private addChunk({ request, source, job }: PlannedFile, chunk: StagedChunk): void {
    this.pending.chunks.push({ ...chunk, feed: request.feed, source, receivedAtMicros: job.receivedAtMicros });
    this.pending.records += chunk.received;
  }

  private addProgress(file: PlannedFile, state: Pick<FileProgress, 'done' | 'complete' | 'unknownFields'>): void {
    const { source, request, sha256, encoding, bytes, job } = file;
    this.pending.files.set(file, { path: source, feed: request.feed, sha256, encoding, bytes, receivedAtMicros: job.receivedAtMicros, ...state });
  }

  private async applyIfFull(): Promise<void> {
    const isFull = () => this.pending.records >= this.ingest.batchRecords;
    this.ingest.requireGoing();
    if (!isFull()) return;
    await this.applying;
    this.ingest.requireGoing();
    if (this.applying === undefined && isFull()) this.holdFor(this.applyPending());
  }

  private applyPending(): Promise<void> {
    const { chunks, files } = this.pending;
    this.pending = emptyBatch();
    return this.ingest.apply(this.cause, chunks, [...files.values()]);
  }

  private holdFor(work: Promise<void>): void {
    this.applying = work
      .catch((error) => this.ingest.fail(error))
      .finally(() => {
        this.applying = undefined;
      });
  }
}

function emptyBatch(): PendingBatch {
  return { chunks: [], files: new Map(), records: 0 };
}
