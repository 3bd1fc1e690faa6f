import type { FieldPath } from '../../encodings/decoder.ts';
import type { KernelMemory } from './kernel-memory.ts';
import {
  ENTRY_BYTES,
  ENTRY_CHILD,
  ENTRY_FIELD,
  ENTRY_FOLLOWER,
  ENTRY_LENGTH,
  ENTRY_NAME,
  ENTRY_RECORDS,
  FIELD_BYTES,
  MAX_UNKNOWN_KEYS,
  NODE_COUNT,
  NODE_ENTRIES,
  NODE_FIRST,
} from './layout.ts';

interface Key {
  field: number;
  readonly children: Map<string, Key>;
}

/** Which keys lead to which field, as the kernel knows them. */
export class KeyNodes {
  /** Of the object at the top. */
  readonly root: number;
  private readonly memory: KernelMemory;
  private readonly fields: number;
  /** By their dotted path with a final dot. */
  private readonly nodes = new Map<string, { readonly address: number; readonly ofContract: number }>();

  constructor(memory: KernelMemory, paths: readonly FieldPath[], fields: number) {
    this.memory = memory;
    this.fields = fields;
    const root: Key = { field: -1, children: new Map() };
    for (const [index, { paths: names }] of paths.entries()) {
      for (const path of names) {
        let key = root;
        for (const name of path) {
          const child = key.children.get(name) ?? { field: -1, children: new Map() };
          key.children.set(name, child);
          key = child;
        }
        key.field = index;
      }
    }
    this.root = this.writeNode(root, '');
  }

  /** Adds a key whose value is walked over; gives the address of its count of records, or undefined where there is no room. */
  addUnknown(prefix: string, name: Uint8Array): number | undefined {
    const node = this.nodes.get(prefix);
    const count = node === undefined ? 0 : this.memory.word(node.address + NODE_COUNT);
    if (node === undefined || count >= node.ofContract + MAX_UNKNOWN_KEYS) return undefined;
    const quoted = new Uint8Array(name.length + 2).fill(QUOTE);
    quoted.set(name, 1);
    const entry = this.writeEntry(node.address, count, quoted, 0, 0);
    this.memory.setWord(node.address + NODE_COUNT, count + 1);
    return entry + ENTRY_RECORDS;
  }

  /** Takes unknown keys away, and what was expected to follow what. */
  forgetUnknown(): void {
    for (const { address, ofContract } of this.nodes.values()) {
      this.memory.setWord(address + NODE_COUNT, ofContract);
      this.memory.setWord(address + NODE_FIRST, 0);
      for (let index = 0; index < ofContract; index++) this.memory.setWord(address + NODE_ENTRIES + index * ENTRY_BYTES + ENTRY_FOLLOWER, 0);
    }
  }

  private writeNode(node: Key, prefix: string): number {
    const { memory, fields } = this;
    // A key that a record must escape never stands there as it is, and one that is both a value and an object is not plain.
    const keys = [...node.children].filter(([name, { field, children }]) => isPlain(name) && (field < 0 || children.size === 0));
    const address = memory.allocate(NODE_ENTRIES + (keys.length + MAX_UNKNOWN_KEYS) * ENTRY_BYTES);
    memory.setWord(address + NODE_COUNT, keys.length);
    this.nodes.set(prefix, { address, ofContract: keys.length });
    for (const [index, [name, { field, children }]] of keys.entries()) {
      const child = children.size === 0 ? 0 : this.writeNode({ field, children }, `${prefix}${name}.`);
      this.writeEntry(address, index, new TextEncoder().encode(`"${name}"`), field < 0 ? 0 : fields + field * FIELD_BYTES, child);
    }
    return address;
  }

  private writeEntry(node: number, index: number, quoted: Uint8Array, field: number, child: number): number {
    const { memory } = this;
    const text = memory.text(quoted);
    const entry = node + NODE_ENTRIES + index * ENTRY_BYTES;
    memory.bytes.fill(0, entry, entry + ENTRY_BYTES);
    memory.setWord(entry + ENTRY_NAME, text);
    memory.setWord(entry + ENTRY_LENGTH, quoted.length);
    memory.setWord(entry + ENTRY_FIELD, field);
    memory.setWord(entry + ENTRY_CHILD, child);
    return entry;
  }
}

const QUOTE = 0x22;

function isPlain(name: string): boolean {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(name);
}
