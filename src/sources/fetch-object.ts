import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { AdvertiseXError, interrupted } from '../domain/errors.ts';
import { parseObjectUrl } from '../domain/object-location.ts';
import { ObjectChanged, type ObjectStore } from '../object-store/object-store.ts';
import type { SourceFile } from './source-file.ts';

/** So often in a row a connection may end before a byte of the object has come. */
const FRUITLESS_TRIES = 8;
const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 20_000;

/**
 * Brings an object to a file of this machine, and gives the SHA-256 of its bytes, in hex. A connection that is cut is taken up where it
 * ended, of the same version alone: bytes of two versions never come together.
 */
export async function fetchObject(store: ObjectStore, file: SourceFile, target: string, signal: AbortSignal): Promise<string> {
  const output = await open(target, 'w').catch((cause) => Promise.reject(targetFailure(target, cause)));
  try {
    return await copy(store, file, output, signal);
  } catch (error) {
    if (signal.aborted) throw interrupted(error);
    if (error instanceof ObjectChanged) throw changed(file, error);
    throw error;
  } finally {
    await output.close();
  }
}

async function copy(store: ObjectStore, file: SourceFile, output: FileHandle, signal: AbortSignal): Promise<string> {
  const { key } = parseObjectUrl(file.path);
  const etag = file.version as string;
  const hash = createHash('sha256');
  let taken = 0;
  let fruitless = 0;
  for (;;) {
    const body = await store.read(key, { etag, from: taken }, signal);
    const before = taken;
    let cut: unknown;
    const chunks = body[Symbol.asyncIterator]();
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        cut = error;
        return undefined;
      });
      if (next === undefined || next.done === true) break;
      hash.update(next.value);
      await output.write(next.value).catch((cause) => Promise.reject(targetFailure(file.path, cause)));
      taken += next.value.length;
    }
    if (signal.aborted) throw interrupted(cut);
    // Also where all of it has come, and only the end of the connection was not in order.
    if (taken === file.bytes) return hash.digest('hex');
    if (taken > file.bytes) throw new ObjectChanged(key, cut);
    fruitless = taken > before ? 0 : fruitless + 1;
    if (fruitless === FRUITLESS_TRIES) throw cutAgainAndAgain(file, taken, cut);
    await pause(Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** fruitless), undefined, { signal }).catch(() => undefined);
  }
}

function changed({ path }: SourceFile, cause: unknown): AdvertiseXError {
  return new AdvertiseXError(
    'source_changed',
    `${path} changed while it was read`,
    'Run the same command again once it is complete; nothing of what it is now was taken.',
    cause,
  );
}

function cutAgainAndAgain({ path, bytes }: SourceFile, taken: number, cause: unknown): AdvertiseXError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new AdvertiseXError(
    'object_store_failed',
    `${path} cannot be read to its end: the connection is cut again and again after ${taken} of ${bytes} bytes${why}`,
    'Check the network and whatever stands between here and the object store, then run the same command again: what was taken already is not taken twice.',
    cause,
  );
}

function targetFailure(path: string, cause: NodeJS.ErrnoException): unknown {
  if (cause.code !== 'ENOSPC' && cause.code !== 'EDQUOT') return cause;
  return new AdvertiseXError(
    'disk_full',
    `There is no space left to bring ${path} here`,
    'Make room where the data directory is: a few objects at a time are kept there while they are decoded. Then run the same command again.',
    cause,
  );
}
