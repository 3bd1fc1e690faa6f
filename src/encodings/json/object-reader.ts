import type { FieldPath, RecordLane } from '../decoder.ts';
import { buildFieldTree, fieldName } from '../field-tree.ts';
import { RecordSlots, ValueKind } from '../record-slots.ts';
import { Scratch } from '../scratch.ts';
import { MAX_UNKNOWN_NAME_BYTES } from '../unknown-fields.ts';
import { BACKSLASH, CLOSE_OBJECT, COLON, COMMA, MINUS, NEED_MORE, NINE, OPEN_ARRAY, OPEN_OBJECT, QUOTE, SPACE, ZERO } from './bytes.ts';
import { writeUnescaped } from './escapes.ts';
import { type KeyEntry, KeyNode, UnknownKeys } from './key-node.ts';
import { findStringStop, ValueReader } from './value-reader.ts';

/**
 * Reads one object's contract fields into slots, in one pass over its bytes: no string, no object and no closure is made.
 */
export class ObjectReader extends ValueReader {
  readonly slots: RecordSlots;
  readonly unknownKeys: UnknownKeys;
  private readonly fields: readonly FieldPath[];
  private readonly root: KeyNode;
  private readonly scratch = new Scratch();
  private scratchStart = 0;
  private record = 0;
  /** Objects that are open. */
  private depth = 1;
  private foundKey: KeyEntry | null = null;

  constructor(fields: readonly FieldPath[], lane?: RecordLane) {
    super();
    this.unknownKeys = new UnknownKeys(lane);
    this.fields = fields;
    this.slots = new RecordSlots(fields.length);
    this.root = new KeyNode(buildFieldTree(fields));
  }

  /** `bytes[start]` is the object's brace. Fills the slots; returns the position behind the object, NEED_MORE or BROKEN. */
  read(bytes: Uint8Array, start: number, end: number): number {
    this.startAt(bytes, end);
    this.record++;
    this.depth = 1;
    const { kinds } = this.slots;
    for (let i = 0; i < kinds.length; i++) kinds[i] = ValueKind.absent;
    this.scratch.reset();
    this.unknownKeys.startRecord();
    return this.readObject(start + 1, this.root);
  }

  private readObject(start: number, node: KeyNode): number {
    const { bytes, end } = this;
    let at = start;
    if (at < end && (bytes[at] as number) <= SPACE) at = this.skipSpace(at);
    if (at >= end) return NEED_MORE;
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    let previous: KeyEntry | null = null;
    for (;;) {
      let key: KeyEntry | null = previous === null ? node.first : previous.follower;
      if (key !== null && matchToken(this.view, at, end, key)) {
        at += key.tokenLength;
      } else {
        if (bytes[at] !== QUOTE) return this.broken(at, 'a field name in double quotes was expected');
        at = this.findKey(at + 1, node);
        if (at < 0) return at;
        key = this.foundKey;
        if (key?.plain) {
          if (previous === null) node.first = key;
          else previous.follower = key;
        }
        if (at < end && bytes[at] !== COLON) at = this.skipSpace(at);
        if (at >= end) return NEED_MORE;
        if (bytes[at] !== COLON) return this.broken(at, 'a colon was expected');
        at++;
      }
      if (at < end && (bytes[at] as number) <= SPACE) at = this.skipSpace(at);
      if (at >= end) return NEED_MORE;
      at = key === null ? this.skipValue(at, this.depth) : this.readValue(at, key);
      if (at < 0) return at;
      if (key !== null) previous = key;
      if (at < end && (bytes[at] as number) <= SPACE) at = this.skipSpace(at);
      if (at >= end) return NEED_MORE;
      const byte = bytes[at];
      if (byte === CLOSE_OBJECT) return at + 1;
      if (byte !== COMMA) return this.broken(at, 'a comma or the end of the object was expected');
      at++;
      if (at < end && (bytes[at] as number) <= SPACE) at = this.skipSpace(at);
      if (at >= end) return NEED_MORE;
    }
  }

  private readValue(start: number, key: KeyEntry): number {
    const { field } = key;
    if (field < 0) return key.child === null ? this.skipUnknown(start, key) : this.readChild(start, key, key.child);
    if (this.slots.kinds[field] !== ValueKind.absent) this.flaw ||= `${fieldName(this.fields, field)} is there twice`;
    const { bytes } = this;
    const byte = bytes[start] as number;
    if (byte === QUOTE) return this.readString(start + 1, field);
    let behind: number;
    let kind: ValueKind;
    if ((byte >= ZERO && byte <= NINE) || byte === MINUS) {
      behind = this.skipNumber(start);
      kind = ValueKind.number;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      behind = key.child === null ? this.skipNested(start, this.depth) : this.readChild(start, key, key.child);
      kind = ValueKind.nested;
    } else {
      behind = this.skipLiteral(start);
      kind = byte === 0x6e ? ValueKind.null : ValueKind.boolean;
    }
    if (behind >= 0) this.slots.set(field, kind, bytes, start, behind);
    return behind;
  }

  /** From behind the opening quote. */
  private readString(start: number, field: number): number {
    const { bytes, end, slots } = this;
    const at = findStringStop(this.view, bytes, start, end);
    if (at < end && bytes[at] === QUOTE) {
      slots.kinds[field] = ValueKind.text;
      if (slots.buffers[field] !== bytes) slots.buffers[field] = bytes;
      slots.starts[field] = start;
      slots.ends[field] = at;
      return at + 1;
    }
    const behind = this.skipString(at);
    if (behind < 0) return behind;
    if (!writeUnescaped(bytes, start, behind - 1, this.startScratch(behind - start)))
      this.flaw ||= `${fieldName(this.fields, field)} holds half of a surrogate pair`;
    slots.set(field, ValueKind.text, this.scratch.bytes, this.scratchStart, this.scratch.used);
    return behind;
  }

  private startScratch(length: number): Scratch {
    this.scratch.reserve(length);
    this.scratchStart = this.scratch.used;
    return this.scratch;
  }

  private skipUnknown(start: number, key: KeyEntry): number {
    if (key.lastRecord !== this.record) {
      key.lastRecord = this.record;
      this.unknownKeys.noteKnownName(key);
    }
    return this.skipValue(start, this.depth);
  }

  /** A key that contract fields stand below. Where it holds no object, they are absent. */
  private readChild(start: number, key: KeyEntry, child: KeyNode): number {
    if (key.lastRecord === this.record) this.flaw ||= 'an object of the contract is there twice';
    key.lastRecord = this.record;
    if (this.bytes[start] !== OPEN_OBJECT) return this.skipValue(start, this.depth);
    this.depth++;
    const behind = this.readObject(start + 1, child);
    this.depth--;
    return behind;
  }

  /** Looks up the key whose first byte is at `start`; returns the position behind its quote. */
  private findKey(start: number, node: KeyNode): number {
    const { bytes } = this;
    const behind = this.skipString(start);
    if (behind < 0) return behind;
    let source = bytes;
    let from = start;
    let to = behind - 1;
    if (bytes.subarray(start, to).includes(BACKSLASH)) {
      writeUnescaped(bytes, start, to, this.startScratch(to - start));
      source = this.scratch.bytes;
      from = this.scratchStart;
      to = this.scratch.used;
    }
    to = Math.min(to, from + MAX_UNKNOWN_NAME_BYTES + 1);
    this.foundKey = node.find(source, from, to);
    if (this.foundKey === null) this.unknownKeys.noteNewName(node, source, from, to);
    return behind;
  }
}

/** Whether `"name":` of the expected key stands at `at`. */
function matchToken(view: DataView, at: number, end: number, key: KeyEntry): boolean {
  const { words, tokenLength } = key;
  if (at + tokenLength > end) return false;
  const last = words.length - 1;
  for (let i = 0; i < last; i++) {
    if (view.getInt32(at + 4 * i, true) !== words[i]) return false;
  }
  return view.getInt32(at + tokenLength - 4, true) === words[last];
}
