/** Types of Thrift's compact protocol, in which Parquet's headers and footers are written. */
export const T = { stop: 0, true: 1, false: 2, byte: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, set: 10, map: 11, struct: 12 } as const;

/** Writes a struct in Thrift's compact protocol, field by field, each field's number above the one before it. */
export class ThriftWriter {
  private bytes: Uint8Array;
  private length = 0;
  private lastField = 0;
  /** Of the structs around the one at hand. */
  private readonly lastFields: number[] = [];

  /** `room`: about as many bytes as it will be. */
  constructor(room: number) {
    this.bytes = new Uint8Array(Math.max(room, LONGEST_VARINT));
  }

  /** An integer of 16, 32 or 64 bits; safe as a number. */
  integer(field: number, type: typeof T.i16 | typeof T.i32 | typeof T.i64, value: number): this {
    this.header(field, type);
    return this.zigZag(value);
  }

  boolean(field: number, value: boolean): this {
    return this.header(field, value ? T.true : T.false);
  }

  text(field: number, value: Uint8Array): this {
    return this.header(field, T.binary).textItem(value);
  }

  /** So many items follow: integers, texts, or structs (`begin` without a field). */
  list(field: number, item: number, size: number): this {
    this.header(field, T.list);
    if (size < 15) return this.byte((size << 4) | item);
    return this.byte(0xf0 | item).varint(size);
  }

  integerItem(value: number): this {
    return this.zigZag(value);
  }

  textItem(value: Uint8Array): this {
    this.varint(value.length).reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** The fields up to `end` are those of a struct, in this field or as an item of a list. */
  begin(field?: number): this {
    if (field !== undefined) this.header(field, T.struct);
    this.lastFields.push(this.lastField);
    this.lastField = 0;
    return this;
  }

  end(): this {
    this.lastField = this.lastFields.pop() ?? 0;
    return this.byte(T.stop);
  }

  /** Bytes so far. */
  get size(): number {
    return this.length;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private header(field: number, type: number): this {
    const delta = field - this.lastField;
    this.lastField = field;
    return delta > 0 && delta <= 15 ? this.byte((delta << 4) | type) : this.byte(type).zigZag(field);
  }

  private zigZag(value: number): this {
    return this.varint(value >= 0 ? 2 * value : -2 * value - 1);
  }

  private varint(value: number): this {
    this.reserve(LONGEST_VARINT);
    this.length = writeVarint(this.bytes, this.length, value);
    return this;
  }

  private byte(value: number): this {
    this.reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const bytes = new Uint8Array(2 * (this.length + more));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }
}

export const LONGEST_VARINT = 8;

/** Writes a whole number below 2⁵⁴ in base 128, lowest digits first, and says where it ends. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest % 0x80) | 0x80;
  bytes[end++] = rest;
  return end;
}
