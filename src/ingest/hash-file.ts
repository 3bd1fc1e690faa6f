import { createHash } from 'node:crypto';
import { unreadableSource } from '../domain/errors.ts';
import { FileChunks } from './file-chunks.ts';

/** SHA-256 of a file's bytes, in hex: what tells that a file was taken before, under whatever name. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of new FileChunks(path, 524_288)) hash.update(chunk);
  } catch (cause) {
    throw unreadableSource(path, cause);
  }
  return hash.digest('hex');
}
