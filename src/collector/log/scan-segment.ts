import { crc32 } from 'node:zlib';
import { decodeHead, type EntryHead, FIXED_HEAD_BYTES, headBytesOf, type LogEntry, type LogPosition, MARKER_BYTES } from './log-entry.ts';
import type { LogFile } from './log-files.ts';
import { checkSegmentHead, type LogSegment, SEGMENT_HEAD_BYTES } from './log-segment.ts';

/** What stands in a segment, in order: whole entries, and stretches that are none. */
export type Found =
  | { readonly what: 'entry'; readonly sequence: LogPosition; readonly offset: number; readonly end: number; readonly entry: LogEntry }
  /** `nextSequence`: of the entry behind it, or undefined where none is. */
  | { readonly what: 'damage'; readonly offset: number; readonly end: number; readonly sequence: LogPosition; readonly nextSequence: LogPosition | undefined };

/** Where to begin: at an entry that is known to begin there, or at 0. */
export interface ScanFrom {
  readonly sequence: LogPosition;
  readonly offset: number;
}

const WINDOW_BYTES = 262_144;

/** Reads a segment up to `end`, in a memory of one entry or a window, whichever is larger. */
export async function* scanSegment(file: LogFile, segment: LogSegment, from: ScanFrom, end: number): AsyncGenerator<Found> {
  const window = new Window(file, end);
  let { sequence, offset } = from;
  let damagedFrom: number | undefined;
  if (offset === 0 && end > 0) {
    const head = await window.bytes(0, Math.min(SEGMENT_HEAD_BYTES, end));
    if (!checkSegmentHead(segment, head)) damagedFrom = 0;
    offset = head.length;
  }
  while (offset < end) {
    const found = await readEntry(window, segment, offset, sequence);
    if (found === undefined) {
      damagedFrom ??= offset;
      offset = await window.find(segment.marker, offset + 1);
      continue;
    }
    if (damagedFrom !== undefined || found.sequence !== sequence) {
      yield { what: 'damage', offset: damagedFrom ?? offset, end: offset, sequence, nextSequence: found.sequence };
      damagedFrom = undefined;
    }
    yield found;
    sequence = found.sequence + 1;
    offset = found.end;
  }
  if (damagedFrom !== undefined) yield { what: 'damage', offset: damagedFrom, end, sequence, nextSequence: undefined };
}

/** The whole entry that begins there, if one does. Its number may be a later one: behind damage nobody knows how many are lost. */
async function readEntry(window: Window, segment: LogSegment, offset: number, atLeast: LogPosition): Promise<(Found & { what: 'entry' }) | undefined> {
  const head = await readHead(window, segment, offset);
  if (head === undefined || head.sequence < atLeast) return undefined;
  const bodyAt = offset + head.headBytes;
  const end = bodyAt + head.bodyBytes;
  if (end > window.end) return undefined;
  const body = await window.bytes(bodyAt, head.bodyBytes);
  if (crc32(body) !== head.bodyChecksum) return undefined;
  const { receivedAtMicros, sequence, facts } = head;
  const { feed, encoding, delimiter } = facts;
  return { what: 'entry', sequence, offset, end, entry: { feed, encoding, delimiter, receivedAtMicros, body } };
}

async function readHead(window: Window, segment: LogSegment, offset: number): Promise<EntryHead | undefined> {
  if (offset + FIXED_HEAD_BYTES > window.end) return undefined;
  const headBytes = headBytesOf(await window.bytes(offset, FIXED_HEAD_BYTES), segment.marker);
  if (headBytes === undefined || offset + headBytes > window.end) return undefined;
  return decodeHead(await window.bytes(offset, headBytes));
}

/** A stretch of a file. What it handed out stays as it is: it reads into new memory each time. */
class Window {
  readonly end: number;
  readonly #file: LogFile;
  #offset = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: LogFile, end: number) {
    this.#file = file;
    this.end = end;
  }

  /** Bytes that the file has: not past its end. */
  async bytes(offset: number, length: number): Promise<Buffer> {
    if (offset < this.#offset || offset + length > this.#offset + this.#bytes.length) {
      const wanted = Buffer.allocUnsafeSlow(Math.min(Math.max(length, WINDOW_BYTES), this.end - offset));
      const filled = await this.#file.read(wanted, offset);
      // Shorter than it was a moment ago, or than was synced: what is not there does not check out.
      wanted.fill(0, filled);
      this.#bytes = wanted;
      this.#offset = offset;
    }
    return this.#bytes.subarray(offset - this.#offset, offset - this.#offset + length);
  }

  /** Where the next marker begins, or the end. */
  async find(marker: Uint8Array, from: number): Promise<number> {
    for (let offset = from; offset + MARKER_BYTES <= this.end; ) {
      const bytes = await this.bytes(offset, Math.min(WINDOW_BYTES, this.end - offset));
      const at = bytes.indexOf(marker);
      if (at >= 0) return offset + at;
      offset += bytes.length - MARKER_BYTES + 1;
    }
    return this.end;
  }
}
