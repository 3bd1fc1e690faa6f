import { crc32 } from 'node:zlib';
import type { Encoding, Feed } from '../../domain/feeds.ts';

/** What one request brought, and what is needed to decode it later. */
export interface LogEntry {
  readonly feed: Feed;
  readonly encoding: Encoding;
  /** Between the cells of CSV. */
  readonly delimiter: string;
  readonly receivedAtMicros: number;
  /** The bytes as they came, compressed ones compressed. Not to be changed until the entry is on disk. */
  readonly body: Uint8Array;
}

/** An entry's number in the log: each has the next one, over all segments. Where a source of records stands, a position is what is stored. */
export type LogPosition = number;

/**
 * On disk, little-endian; the marker is the segment's own (segment-name.ts):
 *
 *     0  marker        8 bytes   where an entry may begin: looked for behind damage
 *     8  head checksum u32       CRC-32 of the bytes 12 up to the body
 *    12  body bytes    u32
 *    16  sequence      u64
 *    24  received at   u64       microseconds since 1970, UTC
 *    32  body checksum u32       CRC-32
 *    36  facts bytes   u32
 *    40  facts                   JSON: feed, encoding, delimiter; readers pass over what they do not know
 *        body
 */
export const FIXED_HEAD_BYTES = 40;
export const MARKER_BYTES = 8;
/** More than facts ever take: a larger number is damage. */
const MAX_FACTS_BYTES = 65_536;

/** The head of an entry: everything but its body. */
export interface EntryHead {
  readonly headBytes: number;
  readonly bodyBytes: number;
  readonly sequence: LogPosition;
  readonly receivedAtMicros: number;
  readonly bodyChecksum: number;
  readonly facts: EntryFacts;
}

type EntryFacts = Pick<LogEntry, 'feed' | 'encoding' | 'delimiter'>;

/** The head of an entry, whole but for its place in the log. */
export function encodeHead({ feed, encoding, delimiter, receivedAtMicros, body }: LogEntry): Buffer {
  const facts = encodeFacts({ feed, encoding, delimiter });
  const head = Buffer.allocUnsafe(FIXED_HEAD_BYTES + facts.length);
  head.writeUInt32LE(body.length, 12);
  head.writeBigUInt64LE(BigInt(receivedAtMicros), 24);
  head.writeUInt32LE(crc32(body), 32);
  head.writeUInt32LE(facts.length, 36);
  head.set(facts, FIXED_HEAD_BYTES);
  return head;
}

/** Senders differ in a handful of facts: those of the last entries are kept. */
const ENCODED_FACTS = new Map<string, Buffer>();
const FACTS_KEPT = 64;

function encodeFacts(facts: EntryFacts): Buffer {
  const key = `${facts.feed} ${facts.encoding} ${facts.delimiter}`;
  let encoded = ENCODED_FACTS.get(key);
  if (encoded === undefined) {
    encoded = Buffer.from(JSON.stringify(facts));
    if (ENCODED_FACTS.size >= FACTS_KEPT) ENCODED_FACTS.clear();
    ENCODED_FACTS.set(key, encoded);
  }
  return encoded;
}

export function placeHead(head: Buffer, sequence: LogPosition, marker: Uint8Array): void {
  head.set(marker, 0);
  head.writeBigUInt64LE(BigInt(sequence), 16);
  head.writeUInt32LE(crc32(head.subarray(12)), 8);
}

/** How long the head is that begins here, or undefined: no head begins here. */
export function headBytesOf(fixed: Buffer, marker: Uint8Array): number | undefined {
  if (fixed.compare(marker, 0, MARKER_BYTES, 0, MARKER_BYTES) !== 0) return undefined;
  const factsBytes = fixed.readUInt32LE(36);
  return factsBytes > MAX_FACTS_BYTES ? undefined : FIXED_HEAD_BYTES + factsBytes;
}

/** Undefined where the checksum says that these are not the bytes that were written. */
export function decodeHead(head: Buffer): EntryHead | undefined {
  if (crc32(head.subarray(12)) !== head.readUInt32LE(8)) return undefined;
  return {
    headBytes: head.length,
    bodyBytes: head.readUInt32LE(12),
    sequence: Number(head.readBigUInt64LE(16)),
    receivedAtMicros: Number(head.readBigUInt64LE(24)),
    bodyChecksum: head.readUInt32LE(32),
    facts: JSON.parse(head.toString('utf8', FIXED_HEAD_BYTES)) as EntryFacts,
  };
}
