import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { AdvertiseXError } from '../../domain/errors.ts';
import { type LogPosition, MARKER_BYTES } from './log-entry.ts';

/**
 * A file of the log. Its name is `<first sequence, 16 digits>-<marker, 16 hex digits>.log`: names sort by what is in them, and
 * neither number is lost with a damaged first page.
 *
 * The marker is drawn at random for each segment and begins each of its entries. A request's body cannot hold it but by knowing
 * it, so that a body that is itself a piece of a log is never taken for entries of this one.
 */
export interface LogSegment {
  readonly name: string;
  readonly path: string;
  readonly marker: Uint8Array;
  readonly firstSequence: LogPosition;
  /** The sequence behind its last entry. */
  nextSequence: LogPosition;
  /** How far it is known to be on disk: readers go no further. */
  syncedBytes: number;
  /** Where some of its entries begin, so that reading from one does not mean reading all before it. */
  readonly marks: { readonly sequence: LogPosition; readonly offset: number }[];
}

/** Magic, version (u32), first sequence (u64), marker, CRC-32 of all that (u32). */
export const SEGMENT_HEAD_BYTES = 32;
const MAGIC = Buffer.from('ADXLOG\r\n');
const VERSION = 1;
const NAME = /^(\d{16})-([0-9a-f]{16})\.log$/;
const BYTES_BETWEEN_MARKS = 1_048_576;

export function newSegment(folder: string, firstSequence: LogPosition, marker: Uint8Array): LogSegment {
  const name = `${String(firstSequence).padStart(16, '0')}-${Buffer.from(marker).toString('hex')}.log`;
  return { name, path: join(folder, name), marker, firstSequence, nextSequence: firstSequence, syncedBytes: 0, marks: [] };
}

/** The segment of that name, as it is before anyone has looked into it; undefined for any other file. */
export function segmentNamed(folder: string, name: string): LogSegment | undefined {
  const parts = NAME.exec(name);
  if (parts === null) return undefined;
  return newSegment(folder, Number(parts[1]), Buffer.from(parts[2] as string, 'hex'));
}

export function encodeSegmentHead({ firstSequence, marker }: LogSegment): Buffer {
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES);
  MAGIC.copy(head, 0);
  head.writeUInt32LE(VERSION, 8);
  head.writeBigUInt64LE(BigInt(firstSequence), 12);
  head.set(marker.subarray(0, MARKER_BYTES), 20);
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  return head;
}

/** Whether a segment's head is what was written. Throws for one that a later version wrote. */
export function checkSegmentHead(segment: LogSegment, head: Buffer): boolean {
  if (head.equals(encodeSegmentHead(segment))) return true;
  const whole = head.length === SEGMENT_HEAD_BYTES && head.subarray(0, 8).equals(MAGIC) && crc32(head.subarray(0, 28)) === head.readUInt32LE(28);
  if (whole && head.readUInt32LE(8) > VERSION) {
    throw new AdvertiseXError(
      'data_version',
      `${segment.path} has version ${head.readUInt32LE(8)} of the log's format, and this is version ${VERSION}`,
      'Run the version of AdvertiseX that wrote it.',
    );
  }
  return false;
}

export function markEntry({ marks }: LogSegment, sequence: LogPosition, offset: number): void {
  if (offset >= (marks.at(-1)?.offset ?? 0) + BYTES_BETWEEN_MARKS) marks.push({ sequence, offset });
}

/** The last place that is known to be before an entry, or at it. */
export function markBefore({ marks, firstSequence }: LogSegment, sequence: LogPosition): { readonly sequence: LogPosition; readonly offset: number } {
  return marks.findLast((mark) => mark.sequence <= sequence) ?? { sequence: firstSequence, offset: 0 };
}
