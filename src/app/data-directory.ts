import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { AdvertiseXError } from '../domain/errors.ts';
import { removeSocketAddress } from '../engines/remote/socket-address.ts';

/** The layout of an instance's data directory. */
export interface DataDirectory {
  readonly path: string;
  readonly database: string;
  /** What the database keeps beside it: rows of archived tables. */
  readonly archive: string;
  readonly lake: string;
  /** What the collector took and is not committed yet. */
  readonly log: string;
  /** What the collector took, record by record, where that is to be kept. */
  readonly raw: string;
  /** Decoded records on their way into a batch; nothing here outlives a run. */
  readonly staging: string;
  readonly spill: string;
  /** Who holds the data, for people, and where it can be read through that process; the lock itself is the database's. */
  readonly owner: string;
}

export function dataDirectory(path: string): DataDirectory {
  const root = resolve(path);
  return {
    path: root,
    database: join(root, 'advertisex.duckdb'),
    archive: join(root, 'archive'),
    lake: join(root, 'lake'),
    log: join(root, 'log'),
    raw: join(root, 'raw'),
    staging: join(root, 'staging'),
    spill: join(root, 'spill'),
    owner: join(root, 'owner.json'),
  };
}

const ownerSchema = z.object({
  pid: z.number().int(),
  command: z.string(),
  since: z.string(),
  /** Where other processes can read the tables meanwhile. */
  reads: z.object({ address: z.string(), protocol: z.string() }).optional(),
  /** It does for others what needs to write, at the same address. */
  works: z.boolean().optional(),
});

export type Owner = z.infer<typeof ownerSchema>;

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
export async function takeOver(directory: DataDirectory, command: string, nowMicros: number, shared: Pick<Owner, 'reads' | 'works'> = {}): Promise<void> {
  const before = await readOwner(directory);
  if (before?.reads !== undefined) await removeSocketAddress(before.reads.address);
  try {
    await rm(directory.staging, { recursive: true, force: true });
    await mkdir(directory.staging, { recursive: true });
    const owner: Owner = { pid: process.pid, command, since: new Date(nowMicros / 1000).toISOString(), ...shared };
    await writeFile(directory.owner, JSON.stringify(owner));
  } catch (cause) {
    throw unwritableDirectory(directory, cause);
  }
}

function unwritableDirectory(directory: DataDirectory, cause: unknown): AdvertiseXError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AdvertiseXError(
      'disk_full',
      `There is no space left in the data directory ${directory.path}`,
      'Free space, or move the data directory (--data) to a larger disk, and run the same command again.',
      cause,
    );
  }
  return new AdvertiseXError(
    'data_unusable',
    `The data directory ${directory.path} cannot be written: ${message}`,
    'Check that this user may write there, and everything in it.',
    cause,
  );
}

/** A folder for what one piece of work stages, while others stage theirs; whoever makes it removes it. */
export async function makeStagingFolder(directory: DataDirectory, name: string): Promise<string> {
  const folder = join(directory.staging, name);
  await mkdir(folder, { recursive: true }).catch((cause) => Promise.reject(unwritableDirectory(directory, cause)));
  return folder;
}

/**
 * To be called while the data is still held: a moment later these files are the next holder's. What cannot be removed does no
 * harm: the next holder removes it.
 */
export async function giveBack(directory: DataDirectory): Promise<void> {
  await rm(directory.owner, { force: true }).catch(() => undefined);
  await rm(directory.staging, { recursive: true, force: true }).catch(() => undefined);
}

/** Who holds the data that could not be opened because of `error`: undefined where that process left no word. */
export async function holderOf(directory: DataDirectory, error: AdvertiseXError): Promise<Owner | undefined> {
  // The engine names the process that has the lock; who wrote the file may be dead by now, and a reader writes none.
  const pid = lockedBy(error);
  const owner = await readOwner(directory);
  return owner !== undefined && (pid === undefined || String(owner.pid) === pid) ? owner : undefined;
}

export function describeOwner({ pid, command, since }: Owner): string {
  return `PID ${pid}, \`advertisex ${command}\`, since ${since}`;
}

/** Says who holds the data and with what, where the holder left word or the system tells. */
export async function nameHolder(directory: DataDirectory, error: unknown): Promise<unknown> {
  if (!(error instanceof AdvertiseXError) || error.code !== 'data_locked') return error;
  const pid = lockedBy(error);
  const owner = await holderOf(directory, error);
  const holder = owner !== undefined ? describeOwner(owner) : pid === undefined ? undefined : `PID ${pid}${await commandLineOf(pid)}`;
  if (holder === undefined) return error;
  return new AdvertiseXError('data_locked', `Another process holds ${directory.path}: ${holder}`, error.remedy, error);
}

function lockedBy(error: AdvertiseXError): string | undefined {
  return /PID (\d+)/.exec(error.message)?.[1];
}

/** What the last process that took the data left word of; it may have been killed since. */
export async function readOwner(directory: DataDirectory): Promise<Owner | undefined> {
  const text = await readFile(directory.owner, 'utf8').catch(() => '');
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Where the system has it (Linux), else nothing. */
async function commandLineOf(pid: string): Promise<string> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const words = line.split('\0').filter((word) => word !== '');
  return words.length === 0 ? '' : `, \`${words.join(' ')}\``;
}
