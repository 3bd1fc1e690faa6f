import { setAside } from './log-damage.ts';
import type { LogEntry, LogPosition } from './log-entry.ts';
import { logFailure } from './log-failure.ts';
import type { LogFile } from './log-files.ts';
import type { LogOptions } from './log-options.ts';
import { type LogSegment, markBefore, markEntry } from './log-segment.ts';
import { scanSegment } from './scan-segment.ts';

export interface PlacedEntry {
  readonly position: LogPosition;
  readonly entry: LogEntry;
}

/** The entries from one position up to another, over segments that others may add to and take away meanwhile. */
export async function* readSegments(options: LogOptions, segments: readonly LogSegment[], from: LogPosition, upTo: LogPosition): AsyncGenerator<PlacedEntry> {
  let next = from;
  while (next < upTo) {
    const segment = segments.find(({ nextSequence }) => nextSequence > next);
    if (segment === undefined || segment.firstSequence >= upTo) return;
    const { nextSequence } = segment;
    const file = await openSegment(options, segments, segment);
    try {
      if (file !== undefined) yield* readSegment(options, file, segment, next, upTo);
    } catch (cause) {
      throw logFailure(options.folder, 'read', cause);
    } finally {
      await file?.close();
    }
    next = nextSequence;
  }
}

/** Undefined: it was dropped just now. */
async function openSegment({ files, folder }: LogOptions, segments: readonly LogSegment[], segment: LogSegment): Promise<LogFile | undefined> {
  try {
    return await files.open(segment.path, 'read');
  } catch (cause) {
    if (!segments.includes(segment)) return undefined;
    throw logFailure(folder, 'read', cause);
  }
}

async function* readSegment(options: LogOptions, file: LogFile, segment: LogSegment, from: LogPosition, upTo: LogPosition): AsyncGenerator<PlacedEntry> {
  const { syncedBytes, nextSequence } = segment;
  let start = markBefore(segment, from);
  for await (const found of scanSegment(file, segment, start, syncedBytes)) {
    if (found.what === 'damage') {
      const { offset, end, sequence } = found;
      const copy = await setAside(options.files, options.folder, segment, file, offset, end);
      const range = { sequence, nextSequence: found.nextSequence ?? nextSequence };
      options.onDamage({ kind: offset === end ? 'missing' : 'damaged', segment: segment.path, offset, bytes: end - offset, ...range, setAside: copy });
      start = { offset: end, sequence: range.nextSequence };
      continue;
    }
    const { sequence: position, entry, offset, end } = found;
    if (position >= upTo) return;
    start = { offset: end, sequence: position + 1 };
    markEntry(segment, position, offset);
    if (position >= from) yield { position, entry };
  }
  if (start.sequence < nextSequence) {
    options.onDamage({ kind: 'missing', segment: segment.path, offset: syncedBytes, bytes: 0, sequence: start.sequence, nextSequence, setAside: undefined });
  }
}
