import { CollectorLog } from './collector-log.ts';
import { setAside, tellingOnce } from './log-damage.ts';
import { logFailure } from './log-failure.ts';
import type { LogFile } from './log-files.ts';
import type { LogOptions } from './log-options.ts';
import { type LogSegment, markEntry, segmentNamed } from './log-segment.ts';
import { scanSegment } from './scan-segment.ts';

/**
 * Opens a log, or begins one. Only the last segment can have been written to when a crash came, so only its entries are checked
 * here; those of the others are when they are read. That nobody else has the log open is for the caller to see to.
 */
export async function openLog(given: LogOptions): Promise<CollectorLog> {
  const options = { ...given, onDamage: tellingOnce(given.onDamage) };
  const { files, folder } = options;
  try {
    await files.makeFolder(folder);
    const segments = await listSegments(options);
    const last = segments.at(-1);
    if (last !== undefined) await recover(options, last);
    return new CollectorLog(options, segments);
  } catch (cause) {
    throw logFailure(folder, 'read', cause);
  }
}

async function listSegments({ files, folder }: LogOptions): Promise<LogSegment[]> {
  const segments: LogSegment[] = [];
  for (const name of await files.list(folder)) {
    const segment = segmentNamed(folder, name);
    if (segment === undefined) continue;
    const file = await files.open(segment.path, 'read');
    try {
      segment.syncedBytes = await file.size();
    } finally {
      await file.close();
    }
    segments.push(segment);
  }
  // Of two that begin with the same entry, the smaller is one in which nothing was ever acknowledged.
  segments.sort((a, b) => a.firstSequence - b.firstSequence || a.syncedBytes - b.syncedBytes);
  for (const [index, segment] of segments.entries()) segment.nextSequence = segments[index + 1]?.firstSequence ?? segment.firstSequence;
  return segments;
}

async function recover(options: LogOptions, segment: LogSegment): Promise<void> {
  const file = await options.files.open(segment.path, 'change');
  try {
    await cutTail(options, segment, file);
    // Whole entries that a killed process left to the system may not be on disk yet, and nobody may read what can still be lost.
    await file.sync();
  } finally {
    await file.close();
  }
}

async function cutTail({ files, folder, onDamage }: LogOptions, segment: LogSegment, file: LogFile): Promise<void> {
  const size = segment.syncedBytes;
  for await (const found of scanSegment(file, segment, { sequence: segment.firstSequence, offset: 0 }, size)) {
    if (found.what === 'entry') {
      markEntry(segment, found.sequence, found.offset);
      segment.nextSequence = found.sequence + 1;
      continue;
    }
    const { offset, end, sequence, nextSequence } = found;
    // What was cut may have been an entry once: torn by a crash or damaged later, nobody can tell.
    const copy = await setAside(files, folder, segment, file, offset, end);
    const damage = { segment: segment.path, offset, bytes: end - offset, sequence, nextSequence, setAside: copy };
    if (nextSequence !== undefined) {
      onDamage({ kind: 'damaged', ...damage });
      continue;
    }
    await file.truncate(offset);
    segment.syncedBytes = offset;
    onDamage({ kind: 'cut', ...damage });
  }
}
