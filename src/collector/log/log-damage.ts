import type { LogPosition } from './log-entry.ts';
import type { LogFile, LogFiles } from './log-files.ts';
import type { LogSegment } from './log-segment.ts';

/** Bytes of the log that are not what was written. Everything before and behind them stays readable. */
export interface LogDamage {
  /**
   * - `cut`: the end of the last segment was no whole entry, as a crash leaves it, and is gone from the segment.
   * - `damaged`: a stretch that is no entry, with entries behind it. It stays where it is.
   * - `missing`: entries that should be between two others are nowhere.
   */
  readonly kind: 'cut' | 'damaged' | 'missing';
  /** Path of the segment. */
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  /** The first entry that is not readable, had there been one, and the next one that is; undefined: nobody knows how many there were. */
  readonly sequence: LogPosition;
  readonly nextSequence: LogPosition | undefined;
  /** A copy of the bytes; undefined: there were none, or zeros only. */
  readonly setAside: string | undefined;
}

/** Passes on each damage once, however often the log is read. */
export function tellingOnce(onDamage: (damage: LogDamage) => void): (damage: LogDamage) => void {
  const told = new Set<string>();
  return (damage) => {
    const place = `${damage.kind} ${damage.segment} ${damage.offset}`;
    if (told.has(place)) return;
    told.add(place);
    onDamage(damage);
  };
}

const COPY_BYTES = 1_048_576;

/** Copies a stretch of a segment beside it, safe on disk, unless it is there already or is zeros only. */
export async function setAside(files: LogFiles, folder: string, segment: LogSegment, file: LogFile, offset: number, end: number): Promise<string | undefined> {
  if (!(await hasContent(file, offset, end))) return undefined;
  const path = `${segment.path}.${offset}-${end}.damaged`;
  if ((await sizeOf(files, path)) === end - offset) return path;
  await files.remove(path);
  const copy = await files.open(path, 'create');
  try {
    for await (const { at, bytes } of pieces(file, offset, end)) await copy.writeSynced([bytes], at - offset);
  } finally {
    await copy.close();
  }
  await files.syncFolder(folder);
  return path;
}

async function hasContent(file: LogFile, offset: number, end: number): Promise<boolean> {
  for await (const { bytes } of pieces(file, offset, end)) if (bytes.some((byte) => byte !== 0)) return true;
  return false;
}

async function* pieces(file: LogFile, offset: number, end: number): AsyncGenerator<{ at: number; bytes: Uint8Array }> {
  for (let at = offset; at < end; at += COPY_BYTES) {
    const bytes = new Uint8Array(Math.min(COPY_BYTES, end - at));
    await file.read(bytes, at);
    yield { at, bytes };
  }
}

async function sizeOf(files: LogFiles, path: string): Promise<number | undefined> {
  const file = await files.open(path, 'read').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}
