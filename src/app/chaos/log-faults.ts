import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { NODE_LOG_FILES } from '../../collector/log/log-files.ts';
import { type LogSegment, SEGMENT_HEAD_BYTES, segmentNamed } from '../../collector/log/log-segment.ts';
import { type Found, scanSegment } from '../../collector/log/scan-segment.ts';
import type { RandomStream } from '../../generate/random-stream.ts';
import type { LogPositions } from '../live/log-positions.ts';
import type { LogFault } from './fault-plan.ts';
import { numbersIn } from './numbered-records.ts';

/** What was done, and the numbers of records that are lost by it. */
export interface LogFaultDone {
  readonly fault: LogFault;
  readonly lost: readonly number[];
}

type Entry = Found & { readonly what: 'entry' } & { readonly segment: LogSegment };

/** Damages the log of a process that is dead. Undefined where there is nothing that could be damaged so. */
export async function damageLog(folder: string, fault: LogFault, positions: LogPositions, random: RandomStream): Promise<LogFaultDone | undefined> {
  if (!existsSync(folder)) return undefined;
  const segments = (await NODE_LOG_FILES.list(folder))
    .map((name) => segmentNamed(folder, name))
    .filter((segment) => segment !== undefined)
    .sort((a, b) => a.firstSequence - b.firstSequence);
  const entries: Entry[] = [];
  for (const segment of segments) entries.push(...(await entriesOf(segment)));
  const last = segments.at(-1);
  if (last === undefined) return undefined;
  if (fault === 'committed') return flipCommitted(entries, segments, positions, random);
  if (fault === 'unread') return flipUnread(entries, positions, random);
  const tail = tailFor(fault, entries, random);
  if (tail === undefined) return undefined;
  appendFileSync(last.path, tail);
  return { fault, lost: [] };
}

/** What a crash may leave behind the last entry. */
function tailFor(fault: LogFault, entries: readonly Entry[], random: RandomStream): Uint8Array | undefined {
  const length = Math.floor(random.logUniform(1, 20_000));
  if (fault === 'zeros') return new Uint8Array(length);
  if (fault === 'noise') return Uint8Array.from({ length }, () => random.below(256));
  const last = entries.at(-1)?.segment;
  const entry = entries.findLast(({ segment }) => segment === last);
  if (entry === undefined) return undefined;
  const bytes = readFileSync(entry.segment.path).subarray(entry.offset, entry.end);
  return fault === 'stale' ? bytes : bytes.subarray(0, 1 + random.below(bytes.length - 1));
}

function flipCommitted(entries: readonly Entry[], segments: readonly LogSegment[], positions: LogPositions, random: RandomStream): LogFaultDone | undefined {
  const committed = entries.filter((entry) => isCommitted(entry, positions));
  if (random.chance(0.1)) flipBit((random.pick(segments) as LogSegment).path, 0, SEGMENT_HEAD_BYTES, random);
  else if (committed.length === 0) return undefined;
  else flipEntry(random.pick(committed), random);
  return { fault: 'committed', lost: [] };
}

/** Rates have no id that would be found in the entry. */
function flipUnread(entries: readonly Entry[], positions: LogPositions, random: RandomStream): LogFaultDone | undefined {
  const unread = entries.filter((entry) => !isCommitted(entry, positions) && entry.entry.feed !== 'currency-rates');
  if (unread.length === 0) return undefined;
  const entry = random.pick(unread);
  flipEntry(entry, random);
  return { fault: 'unread', lost: numbersIn(decompress(Buffer.from(entry.entry.body)), entry.entry.feed) };
}

function isCommitted({ sequence, entry }: Entry, { nextEntries }: LogPositions): boolean {
  return sequence < (nextEntries.get(entry.feed) ?? 0);
}

function flipEntry({ segment, offset, end }: Entry, random: RandomStream): void {
  flipBit(segment.path, offset, end, random);
}

function flipBit(path: string, from: number, end: number, random: RandomStream): void {
  const bytes = readFileSync(path);
  if (bytes.length < end) return;
  const at = from + random.below(end - from);
  bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  writeFileSync(path, bytes);
}

async function entriesOf(segment: LogSegment): Promise<Entry[]> {
  const file = await NODE_LOG_FILES.open(segment.path, 'read');
  try {
    const entries: Entry[] = [];
    for await (const found of scanSegment(file, segment, { sequence: segment.firstSequence, offset: 0 }, await file.size())) {
      if (found.what === 'entry') entries.push({ ...found, segment });
    }
    return entries;
  } finally {
    await file.close();
  }
}

function decompress(body: Buffer): Buffer {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body);
  return body.length >= 4 && body.readUInt32LE() === 0xfd2fb528 ? zstdDecompressSync(body) : body;
}
