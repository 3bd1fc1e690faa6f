import { availableParallelism } from 'node:os';
import { type DecodedFile, type DecodeJob, type EdgeSettings, FileDecoder } from './decode-file.ts';
import type { DecodePool, TakeChunk } from './decode-pool.ts';
import { hashFile } from './hash-file.ts';
import { WorkerPool } from './worker-pool.ts';

/** Fewer bytes than this are decoded sooner than a worker has started. */
const WORTH_A_WORKER = 4_194_304;

export function openPool(bytes: number, edge: EdgeSettings, workers: number | undefined): DecodePool {
  return bytes < WORTH_A_WORKER ? new SameThread(edge) : new WorkerPool(workers ?? availableParallelism(), edge);
}

/** Decodes in this thread, one file after the other. */
class SameThread implements DecodePool {
  private files: FileDecoder;
  private last: Promise<unknown> = Promise.resolve();

  constructor(edge: EdgeSettings) {
    this.files = new FileDecoder(edge);
  }

  hash(path: string): Promise<string> {
    return hashFile(path);
  }

  decode(job: DecodeJob, takeChunk: TakeChunk): Promise<DecodedFile> {
    const decoded = this.last.then(() => this.files.decode(job, takeChunk));
    this.last = decoded.catch(() => undefined);
    return decoded;
  }

  useSettings(edge: EdgeSettings): void {
    this.files = new FileDecoder(edge);
  }

  /** What is under way ends at its next chunk, which is not taken. */
  async close(): Promise<void> {
    await this.last;
  }
}
