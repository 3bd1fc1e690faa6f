import { availableParallelism } from 'node:os';
import { interrupted } from '../domain/errors.ts';
import { type DecodedFile, type DecodeJob, FileDecoder } from './decode-file.ts';
import type { DecodePool, TakeChunk } from './decode-pool.ts';
import { decodingFailure } from './decoding-failure.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { hashFile } from './hash-file.ts';
import { WorkerPool } from './worker-pool.ts';

/** Fewer bytes than this are decoded sooner than a worker has started. */
const WORTH_A_WORKER = 4_194_304;

export function openPool(bytes: number, workers: number | undefined): DecodePool {
  return bytes < WORTH_A_WORKER ? new SameThread() : new WorkerPool(workers ?? availableParallelism());
}

/** Decodes in this thread, one file after the other. */
class SameThread implements DecodePool {
  private files: FileDecoder | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private isClosed = false;

  hash(path: string): Promise<string> {
    return this.inTurn(path, () => hashFile(path));
  }

  decode(job: DecodeJob, takeChunk: TakeChunk): Promise<DecodedFile> {
    return this.inTurn(job.path, () => (this.files as FileDecoder).decode(job, takeChunk));
  }

  useSettings(edge: EdgeSettings): void {
    this.files = new FileDecoder(edge);
  }

  /** What is under way ends at its next chunk, which is not taken. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.last;
  }

  private inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
    const done = this.last.then(async () => {
      if (this.isClosed) throw interrupted();
      return work().catch((error) => Promise.reject(decodingFailure(path, error)));
    });
    this.last = done.catch(() => undefined);
    return done;
  }
}
