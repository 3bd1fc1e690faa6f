import { isUtf8 } from 'node:buffer';
import { RecordSlots, ValueKind } from '../record-slots.ts';
import { Scratch } from '../scratch.ts';
import { Op, type Program } from './program.ts';
import { decimalText, LONGEST_DECIMAL, writeUuid } from './write-binary.ts';
import { LONGEST_LONG, writeDate, writeDouble, writeMagnitude } from './write-numbers.ts';

/** A result that is no position: the bytes are no record of the schema, or end inside one. */
export const BROKEN = -1;

/** Deeper values of recursive types are refused, before the stack is full. */
const MAX_DEPTH = 500;
const CUT = 'its data ends inside it';
/** Largest value of 28 bits. */
const LIMB = 0xfffffff;
const ZERO = 0x30;
const MINUS = 0x2d;
/** Longer than any double's text. */
const LONGEST_DOUBLE = 32;
const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
const TRUE = new TextEncoder().encode('true');
const FALSE = new TextEncoder().encode('false');

/** Runs a program over the bytes of records: contract fields go to slots, texts as slices of the block. */
export class RecordReader {
  readonly slots: RecordSlots;
  /** Why the bytes are no record. */
  problem = '';
  /** What makes the record malformed though its bytes are in order, or empty. */
  flaw = '';
  private readonly code: Int32Array;
  private readonly symbols: Program['symbols'];
  private readonly fieldNames: readonly string[];
  private readonly scratch = new Scratch();
  private bytes: Uint8Array = NOTHING;
  private view: DataView = new DataView(new ArrayBuffer(0));
  private end = 0;
  private depth = 0;
  /** Position behind the index or length that was read. */
  private behind = 0;
  /** The long that was read: its magnitude is high·2^56 + middle·2^28 + low. */
  private isNegative = false;
  private high = 0;
  private middle = 0;
  private low = 0;

  constructor(program: Program, fieldNames: readonly string[]) {
    this.code = program.code;
    this.symbols = program.symbols;
    this.fieldNames = fieldNames;
    this.slots = new RecordSlots(fieldNames.length);
  }

  startBlock(bytes: Uint8Array, end: number): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = end;
  }

  /** Reads the record at `start`; returns the position behind it, or BROKEN. */
  read(start: number): number {
    const { kinds } = this.slots;
    for (let i = 0; i < kinds.length; i++) kinds[i] = ValueKind.absent;
    this.scratch.reset();
    this.flaw = '';
    this.depth = 0;
    return this.run(0, start);
  }

  private run(address: number, start: number): number {
    const { code } = this;
    let at = start;
    let pc = address;
    while (at >= 0) {
      const op = code[pc] as number;
      const operand = code[pc + 1] as number;
      switch (op) {
        case Op.end:
          return at;
        case Op.union: {
          const branch = this.readIndex(at, operand);
          if (branch < 0) return BROKEN;
          at = this.behind;
          pc = code[pc + 2 + branch] as number;
          continue;
        }
        case Op.jump:
          pc = operand;
          continue;
        case Op.text:
          at = this.readText(at, operand);
          break;
        case Op.long:
          at = this.readLongField(at, operand);
          break;
        case Op.timestamp:
          at = this.readTimestamp(at, operand, code[pc + 2] as number);
          pc++;
          break;
        case Op.double:
          at = this.readDouble(at, operand, 8);
          break;
        case Op.float:
          at = this.readDouble(at, operand, 4);
          break;
        case Op.boolean:
          at = this.readBoolean(at, operand);
          break;
        case Op.null:
          this.set(operand, ValueKind.null, NOTHING, 0, 0);
          break;
        case Op.enum:
          at = this.readEnum(at, operand, this.symbols[code[pc + 2] as number] as readonly Uint8Array[]);
          pc++;
          break;
        case Op.skipFixed:
          at = this.advance(at, operand);
          break;
        case Op.skipLong:
          at = this.readLong(at);
          pc--;
          break;
        case Op.skipBytes:
          at = this.skipBytes(at);
          pc--;
          break;
        case Op.skipEnum:
          at = this.readIndex(at, operand) < 0 ? BROKEN : this.behind;
          break;
        case Op.skipArray:
        case Op.skipMap:
          at = this.skipItems(at, operand, op === Op.skipMap, code[pc + 2] === 1);
          pc++;
          break;
        case Op.call:
          at = this.call(operand, at);
          break;
        case Op.date:
          at = this.readDate(at, operand);
          break;
        case Op.noRecord:
          this.flaw ||= 'it is not a record';
          pc--;
          break;
        case Op.markNested:
          this.set(operand, ValueKind.nested, NOTHING, 0, 0);
          break;
        case Op.fixedText:
          at = this.readFixedText(at, operand, code[pc + 2] as number);
          pc++;
          break;
        case Op.uuid:
          at = this.readUuid(at, operand);
          break;
        case Op.decimalBytes: {
          const length = this.readLength(at);
          at = length < 0 ? BROKEN : this.readDecimal(this.behind, operand, code[pc + 2] as number, length);
          pc++;
          break;
        }
        default:
          at = this.readDecimal(at, operand, code[pc + 2] as number, code[pc + 3] as number);
          pc += 2;
      }
      pc += 2;
    }
    return BROKEN;
  }

  private set(field: number, kind: ValueKind, buffer: Uint8Array, start: number, end: number): void {
    const { slots } = this;
    if (slots.kinds[field] !== ValueKind.absent) this.flaw ||= `${this.fieldNames[field]} is there twice`;
    slots.kinds[field] = kind;
    if (slots.buffers[field] !== buffer) slots.buffers[field] = buffer;
    slots.starts[field] = start;
    slots.ends[field] = end;
  }

  private broken(problem: string): number {
    this.problem = problem;
    return BROKEN;
  }

  private advance(at: number, size: number): number {
    return at + size > this.end ? this.broken(CUT) : at + size;
  }

  /** Reads an int or long into `high`, `middle`, `low`: variable-length, zig-zag, at most 64 bits. */
  private readLong(start: number): number {
    const { bytes, end } = this;
    let at = start;
    let high = 0;
    let middle = 0;
    let low = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end) return this.broken(CUT);
      const byte = bytes[at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift < 56) middle |= bits << (shift - 28);
      else high |= bits << (shift - 56);
      if (byte < 0x80) break;
      if (shift === 63) return this.broken('a number is longer than 64 bits');
    }
    if (high > 0xff) return this.broken('a number is longer than 64 bits');
    this.isNegative = (low & 1) === 1;
    low = (low >>> 1) | ((middle & 1) << 27);
    middle = (middle >>> 1) | ((high & 1) << 27);
    high >>>= 1;
    if (this.isNegative && ++low > LIMB) {
      low = 0;
      if (++middle > LIMB) {
        middle = 0;
        high++;
      }
    }
    this.high = high;
    this.middle = middle;
    this.low = low;
    return at;
  }

  /** A number that must be below `limit`, read to `behind`; BROKEN otherwise. */
  private readIndex(start: number, limit: number): number {
    let index = start < this.end ? (this.bytes[start] as number) : 0x80;
    if (index < 0x80 && (index & 1) === 0) {
      index >>= 1;
      this.behind = start + 1;
    } else {
      this.behind = this.readLong(start);
      if (this.behind < 0) return BROKEN;
      index = this.isNegative ? -1 : this.magnitude();
    }
    return index >= 0 && index < limit ? index : this.broken('a number is no branch of its union, no symbol of its enum, or no length');
  }

  /** The length of bytes that the block holds behind it, at `behind`. */
  private readLength(start: number): number {
    const length = this.readIndex(start, this.end + 1);
    return length >= 0 && this.behind + length > this.end ? this.broken(CUT) : length;
  }

  private magnitude(): number {
    return this.high * 2 ** 56 + this.middle * 2 ** 28 + this.low;
  }

  private skipBytes(at: number): number {
    const length = this.readLength(at);
    return length < 0 ? BROKEN : this.behind + length;
  }

  /** An array or map: blocks of items, each with a count, up to an empty one. A negative count comes with the block's bytes. */
  private skipItems(start: number, item: number, isMap: boolean, itemsAreEmpty: boolean): number {
    let at = start;
    for (;;) {
      at = this.readLong(at);
      if (at < 0) return BROKEN;
      const count = this.magnitude();
      if (count === 0) return at;
      if (this.isNegative) {
        at = this.skipBytes(at);
        if (at < 0) return BROKEN;
        continue;
      }
      if (itemsAreEmpty && !isMap) continue;
      if (count > this.end - at) return this.broken('an array or map has more items than there are bytes');
      for (let i = 0; i < count && at >= 0; i++) {
        if (isMap) at = this.skipBytes(at);
        if (at >= 0) at = this.call(item, at);
      }
      if (at < 0) return BROKEN;
    }
  }

  private call(address: number, at: number): number {
    if (++this.depth > MAX_DEPTH) return this.broken(`values are nested deeper than ${MAX_DEPTH} levels`);
    const behind = this.run(address, at);
    this.depth--;
    return behind;
  }

  private readText(at: number, field: number): number {
    const length = this.readLength(at);
    return length < 0 ? BROKEN : this.setText(this.behind, field, length);
  }

  private readFixedText(at: number, field: number, size: number): number {
    return at + size > this.end ? this.broken(CUT) : this.setText(at, field, size);
  }

  private setText(start: number, field: number, length: number): number {
    const end = start + length;
    if (!isText(this.view, this.bytes, start, end)) this.flaw ||= `${this.fieldNames[field]} is not UTF-8`;
    this.set(field, ValueKind.text, this.bytes, start, end);
    return end;
  }

  private readLongField(start: number, field: number): number {
    const at = this.readLong(start);
    if (at >= 0) this.setWritten(field, ValueKind.number, this.writeLong(0));
    return at;
  }

  private readTimestamp(start: number, field: number, power: number): number {
    const at = this.readLong(start);
    if (at >= 0) this.setWritten(field, ValueKind.micros, this.writeLong(power));
    return at;
  }

  /** Writes the long times 10^power, its digits past the point cut; returns the position behind. */
  private writeLong(power: number): number {
    const { scratch } = this;
    scratch.reserve(LONGEST_LONG);
    const { bytes, used } = scratch;
    if (this.isNegative) bytes[used] = MINUS;
    const first = this.isNegative ? used + 1 : used;
    let at = writeMagnitude(bytes, first, this.high, this.middle, this.low);
    if (power > 0 && bytes[first] !== ZERO) {
      bytes.fill(ZERO, at, at + power);
      at += power;
    }
    if (power >= 0) return at;
    if (at + power > first) return at + power;
    bytes[used] = ZERO;
    return used + 1;
  }

  private readDate(start: number, field: number): number {
    const at = this.readLong(start);
    if (at < 0) return BROKEN;
    const days = this.isNegative ? -this.magnitude() : this.magnitude();
    this.scratch.reserve(LONGEST_LONG);
    const end = writeDate(this.scratch.bytes, this.scratch.used, days);
    this.setWritten(field, this.scratch.bytes[this.scratch.used + 4] === MINUS ? ValueKind.text : ValueKind.number, end);
    return at;
  }

  private readDouble(at: number, field: number, size: number): number {
    if (at + size > this.end) return this.broken(CUT);
    const value = size === 8 ? this.view.getFloat64(at, true) : this.view.getFloat32(at, true);
    this.scratch.reserve(LONGEST_DOUBLE);
    const kind = Number.isFinite(value) ? ValueKind.number : ValueKind.text;
    this.setWritten(field, kind, writeDouble(this.scratch.bytes, this.scratch.used, value));
    return at + size;
  }

  private readBoolean(at: number, field: number): number {
    if (at >= this.end) return this.broken(CUT);
    const value = this.bytes[at];
    if (value !== 0 && value !== 1) return this.broken('a boolean is neither true nor false');
    const text = value === 1 ? TRUE : FALSE;
    this.set(field, ValueKind.boolean, text, 0, text.length);
    return at + 1;
  }

  private readEnum(at: number, field: number, symbols: readonly Uint8Array[]): number {
    const index = this.readIndex(at, symbols.length);
    if (index < 0) return BROKEN;
    const symbol = symbols[index] as Uint8Array;
    this.set(field, ValueKind.text, symbol, 0, symbol.length);
    return this.behind;
  }

  private readUuid(at: number, field: number): number {
    if (at + 16 > this.end) return this.broken(CUT);
    this.scratch.reserve(36);
    this.setWritten(field, ValueKind.text, writeUuid(this.scratch.bytes, this.scratch.used, this.bytes, at));
    return at + 16;
  }

  private readDecimal(at: number, field: number, scale: number, length: number): number {
    if (at + length > this.end) return this.broken(CUT);
    if (length === 0 || length > LONGEST_DECIMAL) {
      this.flaw ||= `${this.fieldNames[field]} is a decimal of ${length} bytes`;
    } else {
      const text = decimalText(this.bytes, at, length, scale);
      this.scratch.reserve(text.length);
      const { written } = encoder.encodeInto(text, this.scratch.bytes.subarray(this.scratch.used));
      this.setWritten(field, ValueKind.number, this.scratch.used + written);
    }
    return at + length;
  }

  /** The field's text stands in the scratch buffer, up to `end`. */
  private setWritten(field: number, kind: ValueKind, end: number): void {
    this.set(field, kind, this.scratch.bytes, this.scratch.used, end);
    this.scratch.used = end;
  }
}

/** Whether bytes are UTF-8: nearly always they are ASCII, which is asked four bytes at a time. */
function isText(view: DataView, bytes: Uint8Array, start: number, end: number): boolean {
  let high = 0;
  let at = start;
  for (; at + 4 <= end; at += 4) high |= view.getInt32(at, true);
  for (; at < end; at++) high |= bytes[at] as number;
  return (high & 0x80808080) === 0 || isUtf8(bytes.subarray(start, end));
}
