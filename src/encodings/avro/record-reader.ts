import { isUtf8 } from 'node:buffer';
import { RecordSlots, ValueKind } from '../record-slots.ts';
import { Scratch } from '../scratch.ts';
import type { CompiledSchema } from './compile-reader.ts';
import { isAscii } from './is-ascii.ts';
import { BROKEN, CUT, LongReader } from './long-reader.ts';
import { decimalText, LONGEST_DECIMAL, writeUuid } from './write-binary.ts';
import { LONGEST_LONG, writeDate, writeDouble, writeMagnitude } from './write-numbers.ts';

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
/** Longer than any double's text. */
const LONGEST_DOUBLE = 32;
const NOTHING = new Uint8Array(0);
const TRUE = new TextEncoder().encode('true');
const FALSE = new TextEncoder().encode('false');
const encoder = new TextEncoder();

/**
 * Reads records of a compiled schema: contract fields go to slots, texts as slices of the block. What the generated code
 * does itself stands in statements.ts; what it calls stands here.
 */
export class RecordReader extends LongReader {
  readonly slots: RecordSlots;
  readonly kinds: Uint8Array;
  readonly buffers: Uint8Array[];
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** What makes the record malformed though its bytes are in order, or empty. */
  flaw = '';
  /** Records that are open, of types that may hold themselves: bounded before the stack is full. */
  depth = 0;
  readonly maxDepth = 500;
  private readonly schema: CompiledSchema;
  private readonly fieldNames: readonly string[];
  private readonly scratch = new Scratch();

  constructor(schema: CompiledSchema, fieldNames: readonly string[]) {
    super();
    this.schema = schema;
    this.fieldNames = fieldNames;
    this.slots = new RecordSlots(fieldNames.length);
    this.kinds = this.slots.kinds;
    this.buffers = this.slots.buffers;
    this.starts = this.slots.starts;
    this.ends = this.slots.ends;
  }

  /** Reads the record at `start`; returns the position behind it, or BROKEN. */
  read(start: number): number {
    const { kinds } = this;
    for (let i = 0; i < kinds.length; i++) kinds[i] = ValueKind.absent;
    this.scratch.reset();
    this.flaw = '';
    this.depth = 0;
    return this.schema.read(this, start);
  }

  refuse(flaw: string): void {
    this.flaw ||= flaw;
  }

  refuseDepth(): number {
    return this.broken(`values are nested deeper than ${this.maxDepth} levels`);
  }

  setNull(field: number): void {
    this.set(field, ValueKind.null, NOTHING, 0, 0);
  }

  /** The value is there and is not a single one. */
  setNested(field: number): void {
    this.set(field, ValueKind.nested, NOTHING, 0, 0);
  }

  readText(at: number, field: number): number {
    const length = this.readLength(at);
    return length < 0 ? BROKEN : this.setText(this.behind, field, length);
  }

  readFixedText(at: number, field: number, size: number): number {
    return at + size > this.end ? this.broken(CUT) : this.setText(at, field, size);
  }

  readLongField(start: number, field: number): number {
    const at = this.readLong(start);
    if (at >= 0) this.setWritten(field, ValueKind.number, this.writeLong(0));
    return at;
  }

  /** `power`: of ten, that makes the number microseconds. */
  readTimestamp(start: number, field: number, power: number): number {
    const at = this.readLong(start);
    if (at >= 0) this.setWritten(field, ValueKind.micros, this.writeLong(power));
    return at;
  }

  readDate(start: number, field: number): number {
    const at = this.readLong(start);
    if (at < 0) return BROKEN;
    const days = this.isNegative ? -this.magnitude() : this.magnitude();
    this.scratch.reserve(LONGEST_LONG);
    const end = writeDate(this.scratch.bytes, this.scratch.used, days);
    this.setWritten(field, this.scratch.bytes[this.scratch.used + 4] === MINUS ? ValueKind.text : ValueKind.number, end);
    return at;
  }

  readDouble(at: number, field: number, size: number): number {
    if (at + size > this.end) return this.broken(CUT);
    this.scratch.reserve(LONGEST_DOUBLE);
    const end = writeDouble(this.scratch.bytes, this.scratch.used, this.view, at, size);
    // Infinity, -Infinity and NaN are no numbers of JSON.
    const last = this.scratch.bytes[end - 1] as number;
    this.setWritten(field, last > NINE ? ValueKind.text : ValueKind.number, end);
    return at + size;
  }

  readBoolean(at: number, field: number): number {
    if (at >= this.end) return this.broken(CUT);
    const value = this.bytes[at];
    if (value !== 0 && value !== 1) return this.broken('a boolean is neither true nor false');
    const text = value === 1 ? TRUE : FALSE;
    this.set(field, ValueKind.boolean, text, 0, text.length);
    return at + 1;
  }

  /** `table`: of the schema's tables of symbols. */
  readEnum(at: number, field: number, table: number): number {
    const symbols = this.schema.symbols[table] as readonly Uint8Array[];
    const index = this.readIndex(at, symbols.length);
    if (index < 0) return BROKEN;
    const symbol = symbols[index] as Uint8Array;
    this.set(field, ValueKind.text, symbol, 0, symbol.length);
    return this.behind;
  }

  readUuid(at: number, field: number): number {
    if (at + 16 > this.end) return this.broken(CUT);
    this.scratch.reserve(36);
    this.setWritten(field, ValueKind.text, writeUuid(this.scratch.bytes, this.scratch.used, this.bytes, at));
    return at + 16;
  }

  readDecimalBytes(at: number, field: number, scale: number): number {
    const length = this.readLength(at);
    return length < 0 ? BROKEN : this.readDecimal(this.behind, field, scale, length);
  }

  readDecimal(at: number, field: number, scale: number, length: number): number {
    if (at + length > this.end) return this.broken(CUT);
    if (length === 0 || length > LONGEST_DECIMAL) {
      this.refuse(`${this.fieldNames[field]} is a decimal of ${length} bytes`);
    } else {
      const text = decimalText(this.bytes, at, length, scale);
      this.scratch.reserve(text.length);
      const { written } = encoder.encodeInto(text, this.scratch.bytes.subarray(this.scratch.used));
      this.setWritten(field, ValueKind.number, this.scratch.used + written);
    }
    return at + length;
  }

  private set(field: number, kind: ValueKind, buffer: Uint8Array, start: number, end: number): void {
    if (this.kinds[field] !== ValueKind.absent) this.refuse(`${this.fieldNames[field]} is there twice`);
    this.kinds[field] = kind;
    if (this.buffers[field] !== buffer) this.buffers[field] = buffer;
    this.starts[field] = start;
    this.ends[field] = end;
  }

  private setText(start: number, field: number, length: number): number {
    const end = start + length;
    if (!isAscii(this.view, this.bytes, start, end) && !isUtf8(this.bytes.subarray(start, end))) this.refuse(`${this.fieldNames[field]} is not UTF-8`);
    this.set(field, ValueKind.text, this.bytes, start, end);
    return end;
  }

  /** The field's text stands in the scratch buffer, up to `end`. */
  private setWritten(field: number, kind: ValueKind, end: number): void {
    this.set(field, kind, this.scratch.bytes, this.scratch.used, end);
    this.scratch.used = end;
  }

  /** Writes the long times 10^power, its digits past the point cut; returns the position behind. */
  private writeLong(power: number): number {
    const { scratch } = this;
    scratch.reserve(LONGEST_LONG);
    const { bytes, used } = scratch;
    if (this.isNegative) bytes[used] = MINUS;
    const first = this.isNegative ? used + 1 : used;
    const end = writeMagnitude(bytes, first, this.high, this.middle, this.low);
    if (power > 0 && bytes[first] !== ZERO) {
      bytes.fill(ZERO, end, end + power);
      return end + power;
    }
    if (power >= 0) return end;
    if (end + power > first) return end + power;
    bytes[used] = ZERO;
    return used + 1;
  }
}
