import type { RecordLane, UnknownFieldCount } from '../decoder.ts';
import type { FieldNode } from '../field-tree.ts';
import { MAX_UNKNOWN_NAME_BYTES, MAX_UNKNOWN_NAMES, unknownFieldName } from '../unknown-fields.ts';
import { COLON, QUOTE } from './bytes.ts';

/** A key that was seen or is looked for in one object of the record. */
export interface KeyEntry {
  readonly name: Uint8Array;
  /** `"name":` as it stands in a record without white space, as little-endian words; the last one overlaps the one before. */
  readonly words: Int32Array;
  /** Bytes of `"name":`. */
  readonly tokenLength: number;
  /** Contract field, or -1. */
  readonly field: number;
  /** Where the contract goes on below this key. */
  readonly child: KeyNode | null;
  /** False where a record must escape the key: its bytes cannot be compared with the record's. */
  readonly plain: boolean;
  /** Dotted name of an unknown field; empty for keys of the contract. */
  readonly unknownName: string;
  /** Records that held this unknown field, but for those of `countPast`. */
  count: number;
  /** Those that did not come by here. */
  countPast: UnknownFieldCount | undefined;
  /** Those of the streams before, both ways. */
  countBefore: number;
  /** The last record that held it: tells a key that comes twice. */
  lastRecord: number;
  /** The key that followed it the last time: the one that is tried first. */
  follower: KeyEntry | null;
}

/**
 * The keys of one object of the contract, found by their bytes. Unknown keys join once seen, so that they are as cheap
 * to skip as known ones are to read. Feeds repeat their key order, so each key remembers its follower and a lookup is
 * only needed where the order changes.
 */
export class KeyNode {
  /** Dotted path with a final dot, or empty at the top. */
  readonly prefix: string;
  private buckets: (KeyEntry[] | undefined)[] = new Array(256);
  /** The key that objects started with the last time. */
  first: KeyEntry | null = null;

  constructor(fields: FieldNode, prefix = '') {
    this.prefix = prefix;
    for (const [key, node] of fields.children) {
      const child = node.children.size === 0 ? null : new KeyNode(node, `${prefix}${key}.`);
      this.add(new TextEncoder().encode(key), node.field, child, '');
    }
  }

  find(bytes: Uint8Array, start: number, end: number): KeyEntry | null {
    const bucket = this.buckets[bucketOf(bytes, start, end)];
    if (bucket === undefined) return null;
    for (const entry of bucket) {
      if (isSame(entry.name, bytes, start, end)) return entry;
    }
    return null;
  }

  addUnknown(name: Uint8Array): KeyEntry {
    return this.add(name, -1, null, `${this.prefix}${unknownFieldName(name)}`);
  }

  private add(name: Uint8Array, field: number, child: KeyNode | null, unknownName: string): KeyEntry {
    const plain = name.length > 0 && name.every((byte) => byte >= 0x20 && byte !== 0x22 && byte !== 0x5c);
    const entry: KeyEntry = {
      name,
      words: tokenWords(name),
      tokenLength: name.length + 3,
      field,
      child,
      plain,
      unknownName,
      count: 0,
      countPast: undefined,
      countBefore: 0,
      lastRecord: -1,
      follower: null,
    };
    const bucket = bucketOf(name, 0, name.length);
    this.buckets[bucket] = [...(this.buckets[bucket] ?? []), entry];
    return entry;
  }
}

/** Counts the records that held each unknown field; a record counts once it is known to be whole. */
export class UnknownKeys {
  private readonly lane: RecordLane | undefined;
  private readonly entries: KeyEntry[] = [];
  /** Of the record at hand: counters, not `length`, which is slow to set for every record. */
  private seenCount = 0;
  private newCount = 0;
  private readonly seen: KeyEntry[] = [];
  private readonly newNodes: KeyNode[] = [];
  private readonly newNames: Uint8Array[] = [];

  constructor(lane: RecordLane | undefined) {
    this.lane = lane;
    lane?.forgetFields();
  }

  /**
   * Another stream begins. The names of the one before stay known, as the same sender is likely to use them again; where they are too
   * many it says false, and others must be made: a hostile sender could use up all the room there is.
   */
  restart(): boolean {
    if (this.entries.length > MAX_NAMES_KEPT) return false;
    for (const entry of this.entries) entry.countBefore = countOf(entry);
    return true;
  }

  /** The record is read from its start (perhaps again). */
  startRecord(): void {
    this.seenCount = 0;
    this.newCount = 0;
  }

  noteKnownName(entry: KeyEntry): void {
    this.seen[this.seenCount++] = entry;
  }

  noteNewName(node: KeyNode, bytes: Uint8Array, start: number, end: number): void {
    if (this.entries.length + this.newCount >= MAX_UNKNOWN_NAMES) return;
    this.newNodes[this.newCount] = node;
    this.newNames[this.newCount++] = bytes.slice(start, Math.min(end, start + MAX_UNKNOWN_NAME_BYTES + 1));
  }

  recordIsWhole(): void {
    for (let i = 0; i < this.seenCount; i++) (this.seen[i] as KeyEntry).count++;
    for (let i = 0; i < this.newCount; i++) this.countNewName(this.newNodes[i] as KeyNode, this.newNames[i] as Uint8Array);
  }

  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const entry of this.entries) {
      const count = countOf(entry) - entry.countBefore;
      if (count > 0) counts.set(entry.unknownName, (counts.get(entry.unknownName) ?? 0) + count);
    }
    return counts;
  }

  private countNewName(node: KeyNode, name: Uint8Array): void {
    // The same new key twice in one record stands in the list twice.
    if (node.find(name, 0, name.length) !== null) return;
    const entry = node.addUnknown(name);
    entry.count = 1;
    entry.countPast = entry.plain && name.length <= MAX_UNKNOWN_NAME_BYTES ? this.lane?.knowField(node.prefix, name) : undefined;
    this.entries.push(entry);
  }
}

/** From stream to stream. */
const MAX_NAMES_KEPT = 64;

function countOf({ count, countPast }: KeyEntry): number {
  return count + (countPast?.() ?? 0);
}

function bucketOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return 0;
  const first = bytes[start] as number;
  const middle = bytes[start + (length >> 1)] as number;
  const last = bytes[end - 1] as number;
  return (length * 37 + first * 5 + middle * 11 + last * 17) & 0xff;
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (name[i] !== bytes[start + i]) return false;
  }
  return true;
}

function tokenWords(name: Uint8Array): Int32Array {
  const token = new Uint8Array(Math.max(4, name.length + 3));
  token.set([QUOTE]);
  token.set(name, 1);
  token.set([QUOTE, COLON], name.length + 1);
  const view = new DataView(token.buffer);
  const words = new Int32Array(Math.ceil(token.length / 4));
  for (let i = 0; i < words.length; i++) words[i] = view.getInt32(Math.min(4 * i, token.length - 4), true);
  return words;
}
