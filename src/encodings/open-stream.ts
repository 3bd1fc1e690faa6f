import { createReadStream, ReadStream } from 'node:fs';
import { type CompressionReader, GzipReader } from './compression/gzip-reader.ts';
import { DamagedStream } from './compression/inflater.ts';
import { ZstdReader } from './compression/zstd-reader.ts';

/** The bytes end here, though the compressed data does not: what came before is all that can be read. */
export interface StreamDamage {
  readonly damage: string;
}

type Format = 'gzip' | 'zstd';

const MAGIC: Readonly<Record<Format, readonly number[]>> = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] };
/** First byte is any of 0x50–0x5f: a zstd file may start with a skippable frame. */
const SKIPPABLE_MAGIC_END = [0x2a, 0x4d, 0x18];
const SUFFIX: Readonly<Record<Format, RegExp>> = { gzip: /\.gz(ip)?$/i, zstd: /\.zstd?$/i };
const LONGEST_MAGIC = 4;

/** Compressed bytes that are taken at once: few enough to find a damage in, many enough to be fast. */
const SLICE_BYTES = 65_536;
/** A damage is searched in ever smaller pieces; the last one is a byte. */
const SEARCH_PIECES = [1_024, 32, 1];

/**
 * The input's bytes (its chunks may share a buffer), decompressed if it is gzip or zstd (by its first bytes; `name` only tells where those are cut).
 * Where the compressed data is cut or corrupt it gives every byte before that, then one `StreamDamage`, and ends.
 * An input that cannot be read throws what it throws.
 *
 * zlib drops what it made in the call that fails, so the bytes just before a damage are made again: from a second reading
 * of the input (`reopen`, by itself for files), or from a second decompressor that runs one slice behind (at twice the cost).
 */
export async function* openDecompressed(
  input: AsyncIterable<Uint8Array>,
  name: string,
  reopen: (() => AsyncIterable<Uint8Array>) | undefined = reopenFile(input),
): AsyncGenerator<Uint8Array | StreamDamage> {
  const iterator = input[Symbol.asyncIterator]();
  try {
    const start = await readStart(iterator);
    const rest = { [Symbol.asyncIterator]: () => iterator };
    const format = formatOf(start, name);
    if (format !== undefined) yield* decompress(new Decompression(format, reopen), format, chain(start, rest));
    else if (start.length > 0) yield* chain(start, rest);
  } finally {
    // Whoever stops reading before the end has not reached the iterator yet, perhaps: it holds the file.
    await iterator.return?.();
  }
}

/** Whether bytes that are there as a whole are compressed. */
export function areCompressed(bytes: Uint8Array): boolean {
  return formatOf(bytes, '') !== undefined;
}

/** Whether a file is taken for compressed: its bytes are then not those that `openDecompressed` gives. */
export async function isCompressed(input: AsyncIterable<Uint8Array>, name: string): Promise<boolean> {
  const iterator = input[Symbol.asyncIterator]();
  try {
    return formatOf(await readStart(iterator), name) !== undefined;
  } finally {
    await iterator.return?.();
  }
}

async function* decompress(decompression: Decompression, format: Format, input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array | StreamDamage> {
  try {
    yield* decompression.run(input);
  } catch (error) {
    if (!(error instanceof DamagedStream)) throw error;
    yield { damage: `The ${format} data is damaged or cut at about byte ${decompression.taken}: ${error.message}.` };
  } finally {
    decompression.close();
  }
}

class Decompression {
  /** Compressed bytes before the slice at hand. */
  taken = 0;
  private delivered = 0;
  private readonly format: Format;
  private readonly reopen: (() => AsyncIterable<Uint8Array>) | undefined;
  private readonly reader: CompressionReader;
  private readonly behind: CompressionReader | undefined;
  private behindMade = 0;

  constructor(format: Format, reopen: (() => AsyncIterable<Uint8Array>) | undefined) {
    this.format = format;
    this.reopen = reopen;
    this.reader = createReader(format);
    this.behind = reopen === undefined ? createReader(format) : undefined;
  }

  async *run(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const slice of sliced(input)) {
      try {
        yield* this.deliver(this.reader.write(slice));
      } catch (error) {
        if (!(error instanceof DamagedStream)) throw error;
        yield* this.recover(slice);
        throw error;
      }
      if (this.behind !== undefined) for await (const output of this.behind.write(slice)) this.behindMade += output.length;
      this.taken += slice.length;
    }
    yield* this.deliver(this.reader.finish());
  }

  close(): void {
    this.reader.close();
    this.behind?.close();
  }

  private async *deliver(outputs: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const output of outputs) {
      this.delivered += output.length;
      yield output;
    }
  }

  /** Delivers what the failed slice still holds before its damage. */
  private async *recover(slice: Uint8Array): AsyncGenerator<Uint8Array> {
    if (this.behind !== undefined) {
      this.taken += yield* this.deliverPieces(this.behind, this.behindMade, slice, 1);
      return;
    }
    let start = this.taken;
    let length = slice.length;
    for (const piece of SEARCH_PIECES) {
      const again = createReader(this.format);
      try {
        let made = 0;
        const offset = start - this.taken;
        for await (const earlier of sliced(upTo((this.reopen as () => AsyncIterable<Uint8Array>)(), start))) {
          for await (const output of again.write(earlier)) made += output.length;
        }
        const good: number = yield* this.deliverPieces(again, made, slice.subarray(offset, offset + length), piece);
        start += good;
        length = Math.min(piece, length - good);
      } finally {
        again.close();
      }
    }
    this.taken = start;
  }

  /** Returns how many bytes of the slice are good. `made`: bytes the reader made before, some of them not delivered. */
  private async *deliverPieces(reader: CompressionReader, made: number, slice: Uint8Array, piece: number): AsyncGenerator<Uint8Array, number> {
    let place = made;
    for (let at = 0; at < slice.length; at += piece) {
      try {
        for await (const output of reader.write(slice.subarray(at, at + piece))) {
          const known = Math.min(output.length, Math.max(0, this.delivered - place));
          place += output.length;
          if (known < output.length) {
            this.delivered += output.length - known;
            yield output.subarray(known);
          }
        }
      } catch (error) {
        if (error instanceof DamagedStream) return at;
        throw error;
      }
    }
    return slice.length;
  }
}

function createReader(format: Format): CompressionReader {
  return format === 'gzip' ? new GzipReader() : new ZstdReader();
}

function formatOf(start: Uint8Array, name: string): Format | undefined {
  if (isPrefix(MAGIC.gzip, start)) return 'gzip';
  if (isPrefix(MAGIC.zstd, start)) return 'zstd';
  if (((start[0] ?? 0) & 0xf0) === 0x50 && isPrefix(SKIPPABLE_MAGIC_END, start.subarray(1))) return 'zstd';
  // A file cut inside its magic number: its name tells what it was to be.
  for (const format of ['gzip', 'zstd'] as const) {
    if (SUFFIX[format].test(name) && start.length < MAGIC[format].length && isPrefix(MAGIC[format].slice(0, start.length), start)) return format;
  }
  return undefined;
}

function isPrefix(prefix: readonly number[], bytes: Uint8Array): boolean {
  for (let place = 0; place < prefix.length; place++) if (bytes[place] !== prefix[place]) return false;
  return true;
}

/** Enough of the input to know its format. */
async function readStart(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < LONGEST_MAGIC) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    length += value.length;
    // A chunk is good until the next one is asked for.
    chunks.push(length < LONGEST_MAGIC ? value.slice() : value);
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : new Uint8Array(Buffer.concat(chunks));
}

async function* chain(start: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  yield* rest;
}

async function* sliced(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES);
  }
}

async function* upTo(input: AsyncIterable<Uint8Array>, end: number): AsyncGenerator<Uint8Array> {
  let left = end;
  if (left === 0) return;
  for await (const chunk of input) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

function reopenFile(input: AsyncIterable<Uint8Array>): (() => AsyncIterable<Uint8Array>) | undefined {
  return input instanceof ReadStream && input.path !== undefined ? () => createReadStream(input.path) : undefined;
}
