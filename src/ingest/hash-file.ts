import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { unreadableSource } from '../domain/errors.ts';

/** SHA-256 of a file's bytes, in hex: what tells that a file was taken before, under whatever name. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(chunk as Buffer);
  } catch (cause) {
    throw unreadableSource(path, cause);
  }
  return hash.digest('hex');
}
