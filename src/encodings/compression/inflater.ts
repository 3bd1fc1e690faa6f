import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** Large enough for the decoders to run at full speed, small enough to hold a few. */
const OUTPUT_BYTES = 262_144;
/** Outputs that may wait for the reader: the next one is made meanwhile, and no bomb fills the memory. */
const OUTPUTS_AHEAD = 2;

/** Compressed bytes that do not decompress, or end too early. */
export class DamagedStream extends Error {
  override readonly name = 'DamagedStream';
}

/** One of zlib's decompressing streams, fed by hand: whoever feeds it knows which bytes gave which output. */
export class Inflater {
  private readonly stream: Transform & { readonly bytesWritten: number };
  private readonly outputs: Uint8Array[] = [];
  private failure: Error | undefined;
  private wake: () => void = () => undefined;
  /** The compressed data ended: bytes after `consumed` are none of it. */
  ended = false;

  constructor(format: 'gzip' | 'zstd') {
    this.stream = format === 'gzip' ? zlib.createGunzip({ chunkSize: OUTPUT_BYTES }) : zlib.createZstdDecompress({ chunkSize: OUTPUT_BYTES });
    this.stream.on('data', (output: Uint8Array) => {
      this.outputs.push(output);
      if (this.outputs.length >= OUTPUTS_AHEAD) this.stream.pause();
      this.wake();
    });
    this.stream.on('error', (error) => {
      this.failure = error;
      this.wake();
    });
    this.stream.on('end', () => {
      this.ended = true;
      this.wake();
    });
  }

  /** Compressed bytes that were used. */
  get consumed(): number {
    return this.stream.bytesWritten;
  }

  /** Gives what these bytes decompress to, all of it. Throws DamagedStream: output made by the same call may be missing then. */
  async *write(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    let written = false;
    this.stream.write(bytes, () => {
      written = true;
      this.wake();
    });
    yield* this.drain(() => written);
  }

  /** No more bytes will come. */
  async *finish(): AsyncGenerator<Uint8Array> {
    this.stream.end();
    yield* this.drain(() => false);
  }

  close(): void {
    this.stream.destroy();
  }

  private async *drain(isDone: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (let output = this.outputs.shift(); output !== undefined; output = this.outputs.shift()) {
        if (this.outputs.length === 0) this.stream.resume();
        yield output;
      }
      if (this.failure !== undefined) throw new DamagedStream(this.failure.message, { cause: this.failure });
      if (this.ended || (isDone() && this.stream.readableLength === 0)) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
