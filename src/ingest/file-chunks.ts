import { type FileHandle, open } from 'node:fs/promises';

/**
 * A file's bytes, chunk by chunk, all in one buffer: a chunk is good until the next one is asked for. A buffer for each would cost
 * more than reading it, in memory that is mapped, zeroed and given back.
 */
export class FileChunks implements AsyncIterable<Uint8Array> {
  bytesRead = 0;
  private readonly path: string;
  private readonly chunkBytes: number;
  private readonly from: number;

  /** `from`: the first byte that is read. */
  constructor(path: string, chunkBytes: number, from = 0) {
    this.path = path;
    this.chunkBytes = chunkBytes;
    this.from = from;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const file = await open(this.path, 'r');
    try {
      const buffer = new Uint8Array(this.chunkBytes);
      for (let length = await fill(file, buffer, this.from); length > 0; length = await fill(file, buffer, this.from + this.bytesRead)) {
        this.bytesRead += length;
        yield length === buffer.length ? buffer : buffer.subarray(0, length);
      }
    } finally {
      await file.close();
    }
  }
}

/** As much as fits: only the last chunk is shorter. */
async function fill(file: FileHandle, buffer: Uint8Array, place: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, place + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
