import { createReadStream } from 'node:fs';
import { unreadableSource } from '../domain/errors.ts';
import type { Encoding } from '../domain/feeds.ts';
import { detectEncoding } from '../encodings/detect-encoding.ts';
import { openDecompressed } from '../encodings/open-stream.ts';

/** The encoding of a file by its first bytes, else by its name; undefined where neither tells. */
export async function sniffEncoding(path: string): Promise<Encoding | undefined> {
  const input = createReadStream(path, { highWaterMark: 65_536 });
  try {
    for await (const part of openDecompressed(input, path)) return detectEncoding(part instanceof Uint8Array ? part : new Uint8Array(0), path);
    return detectEncoding(new Uint8Array(0), path);
  } catch (cause) {
    throw unreadableSource(path, cause);
  } finally {
    input.destroy();
  }
}
