import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Duplex, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
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

/** A file being written: compressed and hashed on the way. The order of bytes is all that counts; nothing here reads a clock. */
export class OutputFile {
  private readonly entrance: Duplex;
  private readonly finished: Promise<void>;
  private readonly hash = createHash('sha256');
  private bytes = 0;
  private failure: unknown;
  private full = false;

  constructor(path: string, compression: Compression) {
    mkdirSync(dirname(path), { recursive: true });
    const digest = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.hash.update(chunk);
        this.bytes += chunk.length;
        done(null, chunk);
      },
    });
    const file = createWriteStream(path, { highWaterMark: 1 << 20 });
    if (compression === 'none') {
      this.entrance = digest;
      this.finished = pipeline(digest, file);
    } else {
      this.entrance = compression === 'gzip' ? createGzip({ level: 3 }) : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
      this.finished = pipeline(this.entrance, digest, file);
    }
    this.finished.catch((cause: unknown) => {
      this.failure = writeFailure(path, cause);
    });
  }

  /** Takes the chunk over: the caller must not touch it again. */
  write(chunk: Buffer): void {
    if (this.failure === undefined && !this.entrance.write(chunk)) this.full = true;
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
    this.entrance.end();
    await this.finished.catch(() => {});
    if (this.failure !== undefined) throw this.failure;
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }
}

export function writeFailure(path: string, cause: unknown): AdvertiseXError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AdvertiseXError(
      'disk_full',
      `The disk is full: ${path} could not be written.`,
      'Free some space, remove the unfinished folder, and generate again.',
      cause,
    );
  }
  return new AdvertiseXError(
    'data_unusable',
    `${path} could not be written (${code ?? String(cause)}).`,
    'Choose a folder that you may write to, and generate again.',
    cause,
  );
}
