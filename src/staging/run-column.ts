import { ColumnBuilder, type SegmentFill, type StagedType } from './column-builder.ts';
import type { ColumnDictionary, FilledColumn } from './parquet-file.ts';
import { LONGEST_VARINT, writeVarint } from './thrift.ts';

/**
 * A column whose value stays the same over many rows (`source`, `received_at`): it is told when the value changes, not once a
 * row. In the file: a dictionary of the values, one a run, and their runs.
 */
export class RunColumn implements FilledColumn, ColumnDictionary {
  readonly name: string;
  readonly type: StagedType;
  readonly nullable = false;
  readonly nulls = 0;
  /** One a run; equal values may stand twice. */
  private readonly runs: ColumnBuilder;
  /** First row of each run. */
  private readonly starts: number[] = [];

  constructor(name: string, type: StagedType, fill: SegmentFill) {
    this.name = name;
    this.type = type;
    this.runs = new ColumnBuilder(name, type, false, fill);
  }

  /** The rows from `row` on have this value. */
  startText(row: number, buffer: Uint8Array, start: number, end: number): void {
    this.runs.appendText(buffer, start, end);
    this.starts.push(row);
  }

  startNumber(row: number, value: number): void {
    this.runs.appendNumber(value);
    this.starts.push(row);
  }

  /** The runs of a column of numbers, each with the rows from one to before another that have its value. */
  eachNumber(rows: number, visit: (value: number, from: number, to: number) => void): void {
    const values = this.runs.values();
    const words = new DataView(values.buffer, values.byteOffset, values.byteLength);
    for (const [index, from] of this.starts.entries()) {
      visit(words.getInt32(8 * index + 4, true) * 0x1_0000_0000 + words.getUint32(8 * index, true), from, this.starts[index + 1] ?? rows);
    }
  }

  get byteSize(): number {
    return this.runs.byteSize + 8 * this.starts.length;
  }

  values(): Uint8Array {
    return this.runs.values();
  }

  get dictionary(): ColumnDictionary {
    return this;
  }

  get size(): number {
    return this.starts.length;
  }

  covers(rows: number): boolean {
    return rows === 0 || this.starts[0] === 0;
  }

  /** Each run is its length × 2 and its index. */
  indices(rows: number): Uint8Array[] {
    const bitWidth = 32 - Math.clz32(Math.max(this.starts.length - 1, 1));
    const byteWidth = (bitWidth + 7) >> 3;
    const page = new Uint8Array(1 + this.starts.length * (LONGEST_VARINT + byteWidth));
    page[0] = bitWidth;
    let at = 1;
    for (const [index, start] of this.starts.entries()) {
      const length = (this.starts[index + 1] ?? rows) - start;
      if (length === 0) continue;
      at = writeVarint(page, at, 2 * length);
      for (let byte = 0; byte < byteWidth; byte++) page[at++] = (index >>> (8 * byte)) & 0xff;
    }
    return [page.subarray(0, at)];
  }

  presence(): Uint8Array {
    throw new TypeError(`${this.name} holds no null`);
  }

  /** Forgets the value as well: the next segment must be told it. */
  reset(): void {
    this.runs.reset();
    this.starts.length = 0;
  }
}
