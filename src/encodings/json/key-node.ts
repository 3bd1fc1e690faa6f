import type { FieldNode } from '../field-tree.ts';
import { MAX_UNKNOWN_NAME_BYTES, MAX_UNKNOWN_NAMES, unknownFieldName } from '../unknown-fields.ts';

/** A key that was seen or is looked for in one object of the record. */
export interface KeyEntry {
  /** The key's bytes and its closing quote, as they stand in a record that does not escape them. */
  readonly quoted: Uint8Array;
  /** Contract field, or -1. */
  readonly field: number;
  /** Where the contract goes on below this key. */
  readonly child: KeyNode | null;
  /** False where a record must escape the key: its bytes cannot be compared with the record's. */
  readonly plain: boolean;
  /** Dotted name of an unknown field; empty for keys of the contract. */
  readonly unknownName: string;
  /** Records that held this unknown field. */
  count: number;
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
  private readonly prefix: string;
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
      if (isSame(entry.quoted, bytes, start, end)) return entry;
    }
    return null;
  }

  addUnknown(name: Uint8Array): KeyEntry {
    return this.add(name, -1, null, `${this.prefix}${unknownFieldName(name)}`);
  }

  private add(name: Uint8Array, field: number, child: KeyNode | null, unknownName: string): KeyEntry {
    const quoted = new Uint8Array(name.length + 1);
    quoted.set(name);
    quoted[name.length] = 0x22;
    const plain = name.every((byte) => byte >= 0x20 && byte !== 0x22 && byte !== 0x5c);
    const entry: KeyEntry = { quoted, field, child, plain, unknownName, count: 0, lastRecord: -1, follower: null };
    const bucket = bucketOf(name, 0, name.length);
    this.buckets[bucket] = [...(this.buckets[bucket] ?? []), entry];
    return entry;
  }
}

/** Counts the records that held each unknown field; a record counts once it is known to be whole. */
export class UnknownKeys {
  private readonly entries: KeyEntry[] = [];
  private readonly seen: KeyEntry[] = [];
  private readonly newNodes: KeyNode[] = [];
  private readonly newNames: Uint8Array[] = [];

  /** The record is read from its start (perhaps again). */
  startRecord(): void {
    this.seen.length = 0;
    this.newNodes.length = 0;
    this.newNames.length = 0;
  }

  noteKnownName(entry: KeyEntry): void {
    this.seen.push(entry);
  }

  noteNewName(node: KeyNode, bytes: Uint8Array, start: number, end: number): void {
    if (this.entries.length + this.newNames.length >= MAX_UNKNOWN_NAMES) return;
    this.newNodes.push(node);
    this.newNames.push(bytes.slice(start, Math.min(end, start + MAX_UNKNOWN_NAME_BYTES + 1)));
  }

  recordIsWhole(): void {
    for (let i = 0; i < this.seen.length; i++) (this.seen[i] as KeyEntry).count++;
    for (let i = 0; i < this.newNames.length; i++) this.countNewName(this.newNodes[i] as KeyNode, this.newNames[i] as Uint8Array);
  }

  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { unknownName, count } of this.entries) counts.set(unknownName, (counts.get(unknownName) ?? 0) + count);
    return counts;
  }

  private countNewName(node: KeyNode, name: Uint8Array): void {
    // The same new key twice in one record stands in the list twice.
    if (node.find(name, 0, name.length) !== null) return;
    const entry = node.addUnknown(name);
    entry.count = 1;
    this.entries.push(entry);
  }
}

function bucketOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return 0;
  const first = bytes[start] as number;
  const middle = bytes[start + (length >> 1)] as number;
  const last = bytes[end - 1] as number;
  return (length * 37 + first * 5 + middle * 11 + last * 17) & 0xff;
}

function isSame(quoted: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (quoted.length !== length + 1) return false;
  for (let i = 0; i < length; i++) {
    if (quoted[i] !== bytes[start + i]) return false;
  }
  return true;
}
