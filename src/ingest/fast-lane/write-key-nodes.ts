import type { FieldPath } from '../../encodings/decoder.ts';
import type { KernelMemory } from './kernel-memory.ts';
import { ENTRY_BYTES, ENTRY_CHILD, ENTRY_FIELD, ENTRY_LENGTH, ENTRY_NAME, FIELD_BYTES, NODE_COUNT, NODE_ENTRIES } from './layout.ts';

interface Key {
  field: number;
  readonly children: Map<string, Key>;
}

/** Writes which keys lead to which field into the kernel's memory; returns the address of those at the top. */
export function writeKeyNodes(memory: KernelMemory, paths: readonly FieldPath[], fields: number): number {
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
  return writeNode(memory, root, fields);
}

function writeNode(memory: KernelMemory, node: Key, fields: number): number {
  // A key that a record must escape never stands there as it is, and one that is both a value and an object is not plain.
  const keys = [...node.children].filter(([name, { field, children }]) => isPlain(name) && (field < 0 || children.size === 0));
  const address = memory.allocate(NODE_ENTRIES + keys.length * ENTRY_BYTES);
  memory.setWord(address + NODE_COUNT, keys.length);
  for (const [index, [name, key]] of keys.entries()) {
    const quoted = new TextEncoder().encode(`"${name}"`);
    const text = memory.text(quoted);
    const child = key.children.size === 0 ? 0 : writeNode(memory, key, fields);
    const entry = address + NODE_ENTRIES + index * ENTRY_BYTES;
    memory.setWord(entry + ENTRY_NAME, text);
    memory.setWord(entry + ENTRY_LENGTH, quoted.length);
    memory.setWord(entry + ENTRY_FIELD, key.field < 0 ? 0 : fields + key.field * FIELD_BYTES);
    memory.setWord(entry + ENTRY_CHILD, child);
  }
  return address;
}

function isPlain(name: string): boolean {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(name);
}
