import { ByteCopier } from '../domain/byte-copier.ts';

/**
 * One column of a staged segment while it is filled. Values are appended in the form that the file holds (Parquet's PLAIN
 * encoding), so that writing the file is writing these bytes: no value is looked at twice.
 *
 * One class for all types, because code that fills many columns then calls one method of one class, which V8 compiles well;
 * each type allows the append methods that fit it, and nothing is checked per value.
 *
 *  utf8, bytes           → appendText            a length of 4 bytes, then the bytes
 *  int64, timestamp      → appendNumber          8 bytes; any safe integer, timestamps in microseconds since 1970
 *  date                  → appendNumber          4 bytes; days since 1970
 *  boolean               → appendNumber 0 or 1, appendBoolean    one bit
 *  hash                  → appendHash            8 bytes: a 64-bit hash, which no JavaScript number holds
 *  key                   → appendKey             16 bytes, most significant first
 */
export type StagedType = 'utf8' | 'bytes' | 'int64' | 'timestamp' | 'date' | 'boolean' | 'key' | 'hash';

/** The number of rows that one segment can hold: one row group, as large as DuckDB's own. */
export const MAX_SEGMENT_ROWS = 122_880;

/** Shared by the columns of a segment. */
export interface SegmentFill {
  /** Set when a column has grown so large that the segment should be written before it has all its rows. */
  large: boolean;
}

/** Takes a value a row; which of the ways to append one fits a type is said above. */
export interface RowColumn {
  appendText(buffer: Uint8Array, start: number, end: number): void;
  appendNumber(value: number): void;
  appendBoolean(value: boolean): void;
  /** The words of a key, h1 first (murmur3.ts). */
  appendKey(h1: number, h2: number, h3: number, h4: number): void;
  /** Two words of a key, as one signed 64-bit integer. */
  appendHash(high: number, low: number): void;
  /** Only in nullable columns; the file would not be readable otherwise, so the writer refuses it. */
  appendNull(): void;
}

/** What rows are appended to: a value to each of its columns, then the end of the row. */
export interface RowSegment {
  column(name: string): RowColumn;
  /** Where columns do not count their rows themselves. */
  endRow?(): void;
}

export class ColumnBuilder implements RowColumn {
  readonly name: string;
  readonly type: StagedType;
  readonly nullable: boolean;
  rows = 0;
  nulls = 0;
  private readonly width: number;
  private position = 0;
  private bytes: Uint8Array;
  /** The same memory as 32-bit words; little-endian, as Parquet is and as every machine is that Node.js and DuckDB run on. */
  private words: Int32Array;
  private view: DataView;
  private readonly copier = new ByteCopier();
  /** One bit a row, set where there is a value: Parquet's definition levels. */
  private readonly present: Uint8Array;
  private readonly fill: SegmentFill;

  constructor(name: string, type: StagedType, nullable: boolean, fill: SegmentFill) {
    this.name = name;
    this.type = type;
    this.nullable = nullable;
    this.fill = fill;
    this.width = WIDTHS[type];
    this.bytes = new Uint8Array(FIRST_CAPACITY);
    this.words = new Int32Array(this.bytes.buffer);
    this.view = new DataView(this.bytes.buffer);
    this.present = new Uint8Array(MAX_SEGMENT_ROWS / 8);
  }

  appendText(buffer: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const at = this.position;
    const after = at + 4 + length;
    if (after > this.bytes.length) this.grow(after);
    this.view.setInt32(at, length, true);
    this.copier.copy(buffer, start, end, this.bytes, this.view, at + 4);
    this.position = after;
    this.markPresent();
  }

  appendNumber(value: number): void {
    if (this.width === 8) {
      const at = this.position;
      if (at + 8 > this.bytes.length) this.grow(at + 8);
      const word = at >> 2;
      // Two's complement in two words, exact for every safe integer: dividing by a power of two does not round.
      this.words[word] = value | 0;
      this.words[word + 1] = Math.floor(value / 0x1_0000_0000);
      this.position = at + 8;
    } else if (this.width === 4) {
      const at = this.position;
      if (at + 4 > this.bytes.length) this.grow(at + 4);
      this.words[at >> 2] = value;
      this.position = at + 4;
    } else {
      this.appendBit(value);
    }
    this.markPresent();
  }

  appendBoolean(value: boolean): void {
    this.appendBit(value ? 1 : 0);
    this.markPresent();
  }

  appendKey(h1: number, h2: number, h3: number, h4: number): void {
    const at = this.position;
    if (at + 16 > this.bytes.length) this.grow(at + 16);
    const words = this.words;
    const word = at >> 2;
    words[word] = mostSignificantFirst(h1);
    words[word + 1] = mostSignificantFirst(h2);
    words[word + 2] = mostSignificantFirst(h3);
    words[word + 3] = mostSignificantFirst(h4);
    this.position = at + 16;
    this.markPresent();
  }

  appendHash(high: number, low: number): void {
    const at = this.position;
    if (at + 8 > this.bytes.length) this.grow(at + 8);
    this.words[at >> 2] = low;
    this.words[(at >> 2) + 1] = high;
    this.position = at + 8;
    this.markPresent();
  }

  appendNull(): void {
    this.nulls++;
    this.rows++;
  }

  /** Bytes of the values so far. */
  get byteSize(): number {
    return this.width === 0 ? (this.position + 7) >> 3 : this.position;
  }

  covers(rows: number): boolean {
    return this.rows === rows;
  }

  /** The values, as the file holds them. Valid until the next append. */
  values(): Uint8Array {
    return this.bytes.subarray(0, this.byteSize);
  }

  /** One bit a row, padded with zeros to whole bytes. Valid until the next append. */
  presence(): Uint8Array {
    return this.present.subarray(0, (this.rows + 7) >> 3);
  }

  reset(): void {
    // Bits are set with |=, so what was used must be zero again.
    if (this.width === 0) this.bytes.fill(0, 0, this.byteSize);
    this.present.fill(0, 0, (this.rows + 7) >> 3);
    this.rows = 0;
    this.nulls = 0;
    this.position = 0;
    // One segment of huge records must not hold its memory for the rest of the run.
    if (this.bytes.length > KEPT_CAPACITY) this.allocate(FIRST_CAPACITY);
  }

  private appendBit(bit: number): void {
    const at = this.position;
    if (at >> 3 >= this.bytes.length) this.grow((at >> 3) + 1);
    (this.bytes[at >> 3] as number) |= bit << (at & 7);
    this.position = at + 1;
  }

  private markPresent(): void {
    const row = this.rows++;
    (this.present[row >> 3] as number) |= 1 << (row & 7);
  }

  private grow(needed: number): void {
    const before = this.bytes;
    let capacity = before.length * 2;
    while (capacity < needed) capacity *= 2;
    if (capacity > KEPT_CAPACITY) this.fill.large = true;
    this.allocate(capacity);
    this.bytes.set(before.subarray(0, this.byteSize));
  }

  private allocate(capacity: number): void {
    this.bytes = new Uint8Array(capacity);
    this.words = new Int32Array(this.bytes.buffer);
    this.view = new DataView(this.bytes.buffer);
  }
}

const FIRST_CAPACITY = 65_536;
const KEPT_CAPACITY = 33_554_432;

/** Bytes of a value; 0: one bit; 1: as many as it has. */
const WIDTHS: Readonly<Record<StagedType, number>> = { utf8: 1, bytes: 1, int64: 8, timestamp: 8, date: 4, boolean: 0, key: 16, hash: 8 };

function mostSignificantFirst(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
