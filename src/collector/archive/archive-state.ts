import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AdvertiseXError } from '../../domain/errors.ts';
import { FEEDS, type Feed } from '../../domain/feeds.ts';
import { NODE_LOG_FILES } from '../log/log-files.ts';
import { DRAFT } from './raw-files.ts';

/**
 * `raw/_archived.json`: how far the log of a source is archived. It is written after the files that it speaks of, and before what they were
 * made from is dropped: a file with positions behind it is one that a process wrote and did not come to finish with.
 */
export interface ArchiveState {
  readonly source: string;
  /** The next entry of the log that is not archived. */
  readonly nextEntry: number;
  /** Entries of a feed before this one were in the tables before there was an archive. */
  readonly fromEntries: ReadonlyMap<Feed, number>;
  readonly nextRecords: ReadonlyMap<Feed, number>;
}

const STATE_FILE = '_archived.json';
const count = z.number().int().nonnegative();
const byFeed = z.partialRecord(z.enum(FEEDS), count);
const stateSchema = z.object({
  format: z.literal('advertisex-raw'),
  version: z.literal(1),
  source: z.string(),
  nextEntry: count,
  fromEntries: byFeed,
  nextRecords: byFeed,
});

/** Undefined where nothing was archived yet. */
export async function readArchiveState(folder: string): Promise<ArchiveState | undefined> {
  const path = join(folder, STATE_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { source, nextEntry, fromEntries, nextRecords } = stateSchema.parse(JSON.parse(text));
    const map = (record: Partial<Record<Feed, number>>) => new Map(Object.entries(record) as [Feed, number][]);
    return { source, nextEntry, fromEntries: map(fromEntries), nextRecords: map(nextRecords) };
  } catch (cause) {
    throw new AdvertiseXError(
      'data_unusable',
      `${path} is not what an archive writes, so nobody can tell which records the archive has`,
      'Take the file from a backup. Without one, move the folder away: a new archive begins with what is taken from then on.',
      cause,
    );
  }
}

export async function writeArchiveState(folder: string, { source, nextEntry, fromEntries, nextRecords }: ArchiveState): Promise<void> {
  const state = {
    format: 'advertisex-raw',
    version: 1,
    source,
    nextEntry,
    fromEntries: Object.fromEntries(fromEntries),
    nextRecords: Object.fromEntries(nextRecords),
  };
  const path = join(folder, STATE_FILE);
  const handle = await open(path + DRAFT, 'w');
  try {
    await handle.writeFile(`${JSON.stringify(state)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(path + DRAFT, path);
  await NODE_LOG_FILES.syncFolder(folder);
}
