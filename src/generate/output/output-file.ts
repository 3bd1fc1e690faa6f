import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Transform, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import { AdvertiseXError } from '../../domain/errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

export interface WrittenFile {
  /** Relative to the generated folder, with `/`. */
  readonly path: string;
  readonly records: number;
  readonly bytes: number;
  readonly sha256: string;
}

const CHUNK_BYTES = 1 << 18;
const freeChunks: Buffer[] = [];

/** A file being written: compressed and hashed on the way. */
export class OutputFile {
  private readonly entrance: Writable;
  private readonly finished: Promise<void>;
  private readonly hash = createHash('sha256');
  private readonly hashesHere: boolean;
  private chunk = freeChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private length = 0;
  private bytes = 0;
  private failure: unknown;
  private full = false;

  constructor(path: string, compression: Compression) {
    mkdirSync(dirname(path), { recursive: true });
    const file = createWriteStream(path, { highWaterMark: 16 * CHUNK_BYTES });
    this.hashesHere = compression === 'none';
    if (compression === 'none') {
      this.entrance = file;
      this.finished = finished(file);
    } else {
      const compressor = compression === 'gzip' ? createGzip({ level: 3 }) : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
      const digest = new Transform({
        transform: (chunk: Buffer, _encoding, done) => {
          this.count(chunk);
          done(null, chunk);
        },
      });
      this.entrance = compressor;
      this.finished = pipeline(compressor, digest, file);
    }
    this.finished.catch((cause: unknown) => {
      this.failure = writeFailure(path, cause);
    });
  }

  /** Copies the bytes; they reach the file in large chunks. */
  append(bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end; ) {
      const length = Math.min(end - from, CHUNK_BYTES - this.length);
      bytes.copy(this.chunk, this.length, from, from + length);
      this.length += length;
      from += length;
      if (this.length === CHUNK_BYTES) this.flush();
    }
  }

  /** `drained` has something to wait for, or to say. */
  get waits(): boolean {
    return this.full || this.failure !== undefined;
  }

  /** Waits until the disk has caught up. Call it between pieces of work: this is what bounds the memory. */
  async drained(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (!this.full) return;
    this.full = false;
    if (this.entrance.writableNeedDrain) {
      await Promise.race([new Promise((resolve) => this.entrance.once('drain', resolve)), this.finished.catch(() => {})]);
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Lets go of the file as it is. */
  abort(): void {
    this.entrance.destroy();
  }

  async close(): Promise<{ bytes: number; sha256: string }> {
    if (this.length > 0) this.flush();
    this.entrance.end();
    await this.finished.catch(() => {});
    if (this.failure !== undefined) throw this.failure;
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }

  private flush(): void {
    const chunk = this.chunk;
    const part = this.length === CHUNK_BYTES ? chunk : chunk.subarray(0, this.length);
    this.chunk = freeChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.length = 0;
    if (this.failure !== undefined) return;
    if (this.hashesHere) this.count(part);
    // Given back once the disk has it: otherwise chunks wait for the garbage collector, and a run holds many times what it needs.
    if (!this.entrance.write(part, () => freeChunks.push(chunk))) this.full = true;
  }

  private count(chunk: Buffer): void {
    this.hash.update(chunk);
    this.bytes += chunk.length;
  }
}

export function writeFailure(path: string, cause: unknown): AdvertiseXError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AdvertiseXError(
      'disk_full',
      `The disk is full: ${path} could not be written`,
      'Free some space, remove the unfinished folder, and generate again.',
      cause,
    );
  }
  return new AdvertiseXError(
    'data_unusable',
    `${path} could not be written (${code ?? String(cause)})`,
    'Choose a folder that you may write to, and generate again.',
    cause,
  );
}
