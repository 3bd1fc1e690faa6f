/**
 * One received record as a decoder sees it: for each field of the contract the kind of its value and the bytes of its text.
 *
 * Every encoding gives values as text: a JSON number keeps its digits, an Avro long is written out, so ids keep every digit
 * and one check serves all encodings. A decoder owns one instance and fills it again for each record; whoever reads it copies
 * what it keeps before it returns.
 */

/** What a value was before any rule looked at it. */
export const ValueKind = {
  /** The field (its key, its column) is not there. */
  absent: 0,
  /** The field is there and holds the encoding's own null. An empty CSV cell is `text` of no length. */
  null: 1,
  /** UTF-8 bytes, unescaped. */
  text: 2,
  /** A number's text in JSON's grammar, as received: `-1`, `1.50`, `1e3`, `9007199254740993`. */
  number: 3,
  /** `true` or `false`. */
  boolean: 4,
  /** An object or array where a single value is expected. */
  nested: 5,
  /** Digits that are microseconds since 1970 by the schema (Avro logical types), not by magnitude. */
  micros: 6,
} as const;
export type ValueKind = (typeof ValueKind)[keyof typeof ValueKind];

export class RecordSlots {
  readonly kinds: Uint8Array;
  /** Where each field's bytes stand: `buffers[i].subarray(starts[i], ends[i])`. */
  readonly buffers: Uint8Array[];
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Counted from 0 in the decoded stream; malformed records count, blank lines do not. */
  recordNumber = -1;

  constructor(fieldCount: number) {
    this.kinds = new Uint8Array(fieldCount);
    this.buffers = new Array<Uint8Array>(fieldCount).fill(new Uint8Array(0));
    this.starts = new Int32Array(fieldCount);
    this.ends = new Int32Array(fieldCount);
  }

  set(field: number, kind: ValueKind, buffer: Uint8Array, start: number, end: number): void {
    this.kinds[field] = kind;
    this.buffers[field] = buffer;
    this.starts[field] = start;
    this.ends[field] = end;
  }

  clear(): void {
    this.kinds.fill(ValueKind.absent);
  }
}
