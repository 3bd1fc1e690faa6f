import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AdvertiseXError } from '../domain/errors.ts';

/** The layout of an instance's data directory. */
export interface DataDirectory {
  readonly path: string;
  readonly database: string;
  readonly lake: string;
  /** Decoded records on their way into a batch; nothing here outlives a run. */
  readonly staging: string;
  readonly spill: string;
  /** Who holds the data, for people; the lock itself is the database's. */
  readonly owner: string;
}

export function dataDirectory(path: string): DataDirectory {
  const root = resolve(path);
  return {
    path: root,
    database: join(root, 'advertisex.duckdb'),
    lake: join(root, 'lake'),
    staging: join(root, 'staging'),
    spill: join(root, 'spill'),
    owner: join(root, 'owner.json'),
  };
}

export async function prepareDataDirectory(directory: DataDirectory): Promise<void> {
  try {
    await mkdir(directory.path, { recursive: true });
  } catch (cause) {
    throw new AdvertiseXError(
      'data_unusable',
      `The data directory ${directory.path} cannot be made: ${(cause as Error).message}`,
      'Choose another one with --data, or give this user the right to write there.',
      cause,
    );
  }
}

/** Once this process holds the data: what an earlier run left behind half done is of no use to anyone. */
export async function takeOver(directory: DataDirectory, command: string, nowMicros: number): Promise<void> {
  try {
    await rm(directory.staging, { recursive: true, force: true });
    await mkdir(directory.staging, { recursive: true });
    await writeFile(directory.owner, JSON.stringify({ pid: process.pid, command, since: new Date(nowMicros / 1000).toISOString() }));
  } catch (cause) {
    throw new AdvertiseXError(
      'data_unusable',
      `The data directory ${directory.path} cannot be written: ${(cause as Error).message}`,
      'Check the free space and that this user may write there.',
      cause,
    );
  }
}

export async function giveBack(directory: DataDirectory): Promise<void> {
  await rm(directory.owner, { force: true });
  await rm(directory.staging, { recursive: true, force: true });
}

/** Says who holds the data, where the holder left word. */
export async function nameHolder(directory: DataDirectory, error: unknown): Promise<unknown> {
  if (!(error instanceof AdvertiseXError) || error.code !== 'data_locked') return error;
  const owner = await readFile(directory.owner, 'utf8')
    .then((text) => JSON.parse(text) as { pid: number; command: string; since: string })
    .catch(() => undefined);
  if (owner === undefined) return error;
  return new AdvertiseXError(
    'data_locked',
    `Another process holds ${directory.path}: PID ${owner.pid}, \`advertisex ${owner.command}\`, since ${owner.since}`,
    error.remedy,
    error,
  );
}
