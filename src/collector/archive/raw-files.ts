import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDay, MICROS_PER_DAY } from '../../domain/calendar.ts';
import { FEEDS, type Feed } from '../../domain/feeds.ts';
import type { StagedColumn } from '../../staging/segment-writer.ts';

/**
 * The raw archive: what the collector took, record by record, in the order it came.
 *
 *     raw/<feed>/dt=2026-03-14/http-0000000000012000-0000000000012480.parquet     by day of receipt (UTC)
 *
 * Positions [first, next) of a source are in the name: what belongs to the archive can be told from names alone.
 */
export const RAW_COLUMNS: readonly StagedColumn[] = [
  { name: 'source', type: 'utf8', inRuns: true },
  { name: 'position', type: 'int64' },
  { name: 'received_at', type: 'timestamp', inRuns: true },
  { name: 'encoding', type: 'utf8', inRuns: true },
  { name: 'delimiter', type: 'utf8', inRuns: true },
  { name: 'contract_version', type: 'utf8', inRuns: true },
  // A document of its own: a CSV record with its header, an Avro file of one record.
  { name: 'raw', type: 'bytes' },
  // Of a record that does not decode: why.
  { name: 'problem_code', type: 'utf8', nullable: true },
  { name: 'problem_message', type: 'utf8', nullable: true },
];

export interface RawFile {
  readonly path: string;
  readonly feed: Feed;
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly source: string;
  readonly firstPosition: number;
  readonly nextPosition: number;
}

export type RawStretch = Pick<RawFile, 'feed' | 'day' | 'source' | 'firstPosition' | 'nextPosition'>;

/** Behind a name that is not final yet. */
export const DRAFT = '.draft';
const NAME = /^([a-z0-9_-]+)-(\d{16})-(\d{16})\.parquet$/;
const DAY_FOLDER = /^dt=(\d{4}-\d\d-\d\d)$/;

export function dayOfReceipt(receivedAtMicros: number): string {
  return formatDay(Math.floor(receivedAtMicros / MICROS_PER_DAY));
}

export function rawFilePath(folder: string, { feed, day, source, firstPosition, nextPosition }: RawStretch): string {
  const digits = (position: number) => String(position).padStart(16, '0');
  return join(dayFolder(folder, feed, day), `${source}-${digits(firstPosition)}-${digits(nextPosition)}.parquet`);
}

export function dayFolder(folder: string, feed: Feed, day: string): string {
  return join(folder, feed, `dt=${day}`);
}

/** All files of an archive, those of a feed and source in the order of their positions; and those that never got their names. */
export async function listRawFiles(folder: string): Promise<{ readonly files: readonly RawFile[]; readonly drafts: readonly string[] }> {
  const files: RawFile[] = [];
  const drafts: string[] = [];
  for (const { feed, day } of await listRawDays(folder)) {
    for (const { name } of await entriesOf(dayFolder(folder, feed, day))) {
      const path = join(dayFolder(folder, feed, day), name);
      const parts = NAME.exec(name);
      if (name.endsWith(DRAFT)) drafts.push(path);
      if (parts === null) continue;
      const [, source = '', firstPosition, nextPosition] = parts;
      files.push({ path, feed, day, source, firstPosition: Number(firstPosition), nextPosition: Number(nextPosition) });
    }
  }
  files.sort((a, b) => (a.source === b.source ? a.firstPosition - b.firstPosition : a.source < b.source ? -1 : 1));
  return { files, drafts };
}

export async function listRawDays(folder: string): Promise<{ readonly feed: Feed; readonly day: string }[]> {
  const days: { feed: Feed; day: string }[] = [];
  for (const feed of FEEDS) {
    for (const entry of await entriesOf(join(folder, feed))) {
      const day = DAY_FOLDER.exec(entry.name)?.[1];
      if (entry.isDirectory() && day !== undefined) days.push({ feed, day });
    }
  }
  return days;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
