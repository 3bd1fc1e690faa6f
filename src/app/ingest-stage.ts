import type { BatchCause, FileProgress, SourceChunk } from '../batches/batch.ts';
import type { DecodedFile } from '../ingest/decode-file.ts';
import type { TakeChunk } from '../ingest/decode-pool.ts';
import type { StagedChunk } from '../staging/staged-chunk.ts';
import type { PlannedFile } from './plan-ingest.ts';

/** What stages ask of the ingest that they belong to. */
export interface StagedIngest {
  readonly batchRecords: number;
  /** Batches are no larger, and little is decoded ahead of them. Else a batch takes all that is there: fewer of them cost less. */
  readonly isBounded: boolean;
  decode(file: PlannedFile, takeChunk: TakeChunk): Promise<DecodedFile>;
  apply(cause: BatchCause, chunks: readonly SourceChunk[], files: readonly FileProgress[]): Promise<void>;
  tookFrom(file: PlannedFile, bytesRead: number): void;
  /** Whether the ingest goes on without a file that could not be read to its end. */
  passOver(file: PlannedFile, error: unknown): boolean;
  /** Ends the ingest. A later batch without one that failed would leave its records out for good. */
  fail(error: unknown): void;
  /** Throws once the ingest has failed or is to stop: then no batch is begun. */
  requireGoing(): void;
}

/** A stretch of a file that waits for its batch, and how far the file is taken with it. The end of a file may have no rows. */
interface PendingPart {
  readonly file: PlannedFile;
  readonly chunk?: StagedChunk;
  readonly progress: Pick<FileProgress, 'done' | 'complete' | 'unknownFields'>;
}

const GOING_ON = { done: false, complete: true, unknownFields: [] } as const;
/** Files that are decoded, or wait for it, where little is to be done ahead. */
const FILES_AHEAD = 2;

/**
 * Files whose batches have one cause, and come after those of the stage before it. Its files are decoded meanwhile: of the stages
 * before it they need nothing but workers, so that each stage must be given all its files before the next one is given any.
 */
export class IngestStage {
  private readonly ingest: StagedIngest;
  private readonly cause: BatchCause;
  private readonly decoding: Promise<void>[] = [];
  private pending: PendingPart[] = [];
  private pendingRecords = 0;
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

  /** Resolves once another file may be taken. */
  async room(): Promise<void> {
    if (!this.ingest.isBounded) return;
    await this.decoding.at(-FILES_AHEAD);
    while (this.pendingRecords >= 2 * this.ingest.batchRecords) {
      this.ingest.requireGoing();
      if (this.applying === undefined) this.holdFor(this.applyPending());
      await this.applying;
    }
  }

  /** What waits of a file that could not be read to its end; what is committed of it stays, as of any file that was stopped at. */
  private leaveOut(file: PlannedFile): void {
    this.pending = this.pending.filter((part) => part.file !== file);
    this.pendingRecords = recordsOf(this.pending);
  }

  /** Given all its files: until all of them is committed. */
  async end(): Promise<void> {
    await Promise.all(this.decoding);
    await this.applying;
    this.ingest.requireGoing();
    while (this.pending.length > 0) {
      this.holdFor(this.applyPending());
      await this.applying;
      this.ingest.requireGoing();
    }
  }

  /** Until no batch runs. */
  async rest(): Promise<void> {
    await this.applying;
  }

  private async decode(file: PlannedFile): Promise<void> {
    const { ingest } = this;
    const { lastChunks, complete, unknownFields } = await ingest.decode(file, (chunk, bytesRead) => this.takeChunk(file, chunk, bytesRead));
    ingest.requireGoing();
    for (const chunk of lastChunks) this.add({ file, chunk, progress: GOING_ON });
    this.add({ file, progress: { done: true, complete, unknownFields } });
    ingest.tookFrom(file, file.bytes);
    await this.applyIfFull();
  }

  /** A chunk waits for the engine once as much is staged as two batches hold. */
  private async takeChunk(file: PlannedFile, chunk: StagedChunk, bytesRead: number): Promise<void> {
    this.ingest.requireGoing();
    this.add({ file, chunk, progress: GOING_ON });
    this.ingest.tookFrom(file, bytesRead);
    await this.applyIfFull();
  }

  private add(part: PendingPart): void {
    this.pending.push(part);
    this.pendingRecords += part.chunk?.received ?? 0;
  }

  private async applyIfFull(): Promise<void> {
    const isFull = () => this.pendingRecords >= this.ingest.batchRecords;
    this.ingest.requireGoing();
    if (!isFull()) return;
    await this.applying;
    this.ingest.requireGoing();
    if (this.applying === undefined && isFull()) this.holdFor(this.applyPending());
  }

  private applyPending(): Promise<void> {
    const parts = this.pending.splice(0, this.ingest.isBounded ? partsWithin(this.pending, this.ingest.batchRecords) : this.pending.length);
    this.pendingRecords -= recordsOf(parts);
    const chunks: SourceChunk[] = [];
    const files = new Map<PlannedFile, FileProgress>();
    for (const { file, chunk, progress } of parts) {
      const { source, request, sha256, encoding, bytes, job, path, version } = file;
      const { receivedAtMicros } = job;
      if (chunk !== undefined) chunks.push({ ...chunk, feed: request.feed, source, receivedAtMicros });
      // The version is that of its own object, not of another one with the same content.
      const versioned = version === undefined || source !== path ? {} : { version };
      files.set(file, { path: source, feed: request.feed, sha256, ...versioned, encoding, bytes, receivedAtMicros, ...progress });
    }
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

function recordsOf(parts: readonly PendingPart[]): number {
  return parts.reduce((sum, { chunk }) => sum + (chunk?.received ?? 0), 0);
}

/** How many of the first parts hold no more than so many records; one at least. */
function partsWithin(parts: readonly PendingPart[], records: number): number {
  let sum = 0;
  const beyond = parts.findIndex(({ chunk }, index) => {
    sum += chunk?.received ?? 0;
    return sum > records && index > 0;
  });
  return beyond < 0 ? parts.length : beyond;
}
