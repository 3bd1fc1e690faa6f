/**
 * Stands in for the pool of decoding workers where many small files are taken: starting a thread costs more than all their records.
 * What a worker does is done here, by the same decoder, one file at a time. A test asks for it with
 *
 *     vi.mock('../../src/ingest/worker-pool.ts', () => import('./in-process-pool.ts'));
 */
import { type DecodedFile, type DecodeJob, type EdgeSettings, FileDecoder } from '../../src/ingest/decode-file.ts';
import { hashFile } from '../../src/ingest/hash-file.ts';
import type { TakeChunk } from '../../src/ingest/worker-pool.ts';

export class WorkerPool {
  private decoder: FileDecoder;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(_size: number, edge: EdgeSettings) {
    this.decoder = new FileDecoder(edge);
  }

  hash(path: string): Promise<string> {
    return hashFile(path);
  }

  decode(job: DecodeJob, takeChunk: TakeChunk): Promise<DecodedFile> {
    const decoded = this.turn.then(() => this.decoder.decode(job, takeChunk));
    this.turn = decoded.catch(() => undefined);
    return decoded;
  }

  useSettings(edge: EdgeSettings): void {
    this.decoder = new FileDecoder(edge);
  }

  async close(): Promise<void> {
    await this.turn;
  }
}
