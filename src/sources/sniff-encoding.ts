import { createReadStream } from 'node:fs';
import { unreadableSource } from '../domain/errors.ts';
import type { FileEncoding } from '../domain/feeds.ts';
import { detectEncoding } from '../encodings/detect-encoding.ts';
import { openDecompressed } from '../encodings/open-stream.ts';

/** The encoding of a file by its first bytes, else by its name; undefined where neither tells. `place`: where its bytes are on this machine. */
export async function sniffEncoding(place: string, name: string): Promise<FileEncoding | undefined> {
  const input = createReadStream(place, { highWaterMark: 65_536 });
  try {
    for await (const part of openDecompressed(input, name)) return detectEncoding(part instanceof Uint8Array ? part : new Uint8Array(0), name);
    return detectEncoding(new Uint8Array(0), name);
  } catch (cause) {
    throw unreadableSource(name, cause);
  } finally {
    input.destroy();
  }
}
