import type { EventLagTally } from '../../domain/event-lag.ts';
import type { Table } from '../../domain/table.ts';
import type { RowColumn, RowSegment, StagedType } from '../../staging/column-builder.ts';
import { type ColumnDictionary, type FilledColumn, indexPage } from '../../staging/parquet-file.ts';
import { RunColumn } from '../../staging/run-column.ts';
import { segmentColumns } from '../../staging/segment-columns.ts';
import { writeSegment } from '../../staging/segment-writer.ts';
import { tallyEventLag } from '../../staging/tally-event-lag.ts';
import type { Kernel, KernelMemory } from './kernel-memory.ts';
import {
  COLUMN_BYTES,
  COLUMN_CAPACITY,
  COLUMN_DATA,
  COLUMN_DICTIONARY,
  COLUMN_NULLS,
  COLUMN_POSITION,
  COLUMN_PRESENCE,
  DICTIONARY_BYTES,
  DICTIONARY_CAPACITY,
  DICTIONARY_COUNT,
  DICTIONARY_DATA,
  DICTIONARY_POSITION,
  DICTIONARY_SLOT_COUNT,
  DICTIONARY_SLOTS,
  LANE_ROWS,
  SLOT_BYTES,
} from './layout.ts';

/** Of all columns together: a segment that holds more is written before it has all its rows. */
const LARGE = 67_108_864;
const FIRST_CAPACITY = 65_536;
const FIRST_SLOTS = 1_024;

/** One column of the lane's segment: filled by the kernel in its memory, read from there when the segment is written. */
class LaneColumn implements FilledColumn, RowColumn {
  readonly name: string;
  readonly type: StagedType;
  readonly nullable: boolean;
  readonly address: number;
  private readonly kernel: Kernel;
  private readonly memory: KernelMemory;

  constructor(name: string, type: StagedType, nullable: boolean, kernel: Kernel, memory: KernelMemory) {
    this.name = name;
    this.type = type;
    this.nullable = nullable;
    this.kernel = kernel;
    this.memory = memory;
    this.address = memory.allocate(COLUMN_BYTES);
    const data = memory.allocate(FIRST_CAPACITY);
    const presence = memory.allocate(LANE_ROWS / 8);
    memory.setWord(this.address + COLUMN_DATA, data);
    memory.setWord(this.address + COLUMN_CAPACITY, FIRST_CAPACITY);
    memory.setWord(this.address + COLUMN_PRESENCE, presence);
    if (type === 'utf8') memory.setWord(this.address + COLUMN_DICTIONARY, this.beginDictionary());
  }

  appendText(buffer: Uint8Array, start: number, end: number): void {
    this.kernel.appendText(this.address, this.memory.lend(buffer, start, end), end - start);
  }

  appendNumber(value: number): void {
    if (this.type === 'boolean') this.kernel.appendBit(this.address, value);
    else if (this.type === 'date') this.kernel.appendDay(this.address, value);
    else this.kernel.appendNumber(this.address, value);
  }

  appendBoolean(value: boolean): void {
    this.kernel.appendBit(this.address, value ? 1 : 0);
  }

  appendKey(h1: number, h2: number, h3: number, h4: number): void {
    this.kernel.appendKey(this.address, h1, h2, h3, h4);
  }

  appendHash(high: number, low: number): void {
    this.kernel.appendHash(this.address, high, low);
  }

  appendNull(): void {
    this.kernel.appendNull(this.address);
  }

  get nulls(): number {
    return this.memory.word(this.address + COLUMN_NULLS);
  }

  /** Bytes held; asked often. */
  get byteSize(): number {
    const dictionary = this.memory.word(this.address + COLUMN_DICTIONARY);
    return this.memory.word(this.address + COLUMN_POSITION) + (dictionary === 0 ? 0 : this.memory.word(dictionary + DICTIONARY_POSITION));
  }

  covers(rows: number): boolean {
    return this.kernel.rowCount() === rows;
  }

  /** Undefined as well where there is no value. */
  get dictionary(): LaneDictionary | undefined {
    const address = this.memory.word(this.address + COLUMN_DICTIONARY);
    return address === 0 || this.dataSize === 0 ? undefined : new LaneDictionary(this.memory, address, this.data());
  }

  values(): Uint8Array {
    return this.dictionary?.values() ?? this.data();
  }

  presence(): Uint8Array {
    const presence = this.memory.word(this.address + COLUMN_PRESENCE);
    return this.memory.bytes.subarray(presence, presence + ((this.kernel.rowCount() + 7) >> 3));
  }

  reset(): void {
    // Bits are set with |=, so what was used must be zero again.
    if (this.type === 'boolean') this.data().fill(0);
    this.presence().fill(0);
    this.dictionary?.reset();
    this.memory.setWord(this.address + COLUMN_POSITION, 0);
    this.memory.setWord(this.address + COLUMN_NULLS, 0);
  }

  private get dataSize(): number {
    const position = this.memory.word(this.address + COLUMN_POSITION);
    return this.type === 'boolean' ? (position + 7) >> 3 : position;
  }

  private data(): Uint8Array {
    const data = this.memory.word(this.address + COLUMN_DATA);
    return this.memory.bytes.subarray(data, data + this.dataSize);
  }

  private beginDictionary(): number {
    const { memory } = this;
    const address = memory.allocate(DICTIONARY_BYTES);
    memory.setWord(address + DICTIONARY_DATA, memory.allocate(FIRST_CAPACITY));
    memory.setWord(address + DICTIONARY_CAPACITY, FIRST_CAPACITY);
    memory.setWord(address + DICTIONARY_SLOTS, memory.allocate(FIRST_SLOTS * SLOT_BYTES));
    memory.setWord(address + DICTIONARY_SLOT_COUNT, FIRST_SLOTS);
    return address;
  }
}

/** The texts of a column, and which of them its rows have. */
class LaneDictionary implements ColumnDictionary {
  private readonly memory: KernelMemory;
  private readonly address: number;
  /** Two bytes each. */
  private readonly rowIndices: Uint8Array;

  constructor(memory: KernelMemory, address: number, rowIndices: Uint8Array) {
    this.memory = memory;
    this.address = address;
    this.rowIndices = rowIndices;
  }

  get size(): number {
    return this.memory.word(this.address + DICTIONARY_COUNT);
  }

  get byteSize(): number {
    return this.memory.word(this.address + DICTIONARY_POSITION);
  }

  values(): Uint8Array {
    const data = this.memory.word(this.address + DICTIONARY_DATA);
    return this.memory.bytes.subarray(data, data + this.byteSize);
  }

  indices(): Uint8Array[] {
    return indexPage(this.rowIndices);
  }

  reset(): void {
    const slots = this.memory.word(this.address + DICTIONARY_SLOTS);
    this.memory.bytes.fill(0, slots, slots + SLOT_BYTES * this.memory.word(this.address + DICTIONARY_SLOT_COUNT));
    this.memory.setWord(this.address + DICTIONARY_COUNT, 0);
    this.memory.setWord(this.address + DICTIONARY_POSITION, 0);
  }
}

/** The segment that the kernel fills, with its own rows and with those that it is handed. */
export class LaneSegment implements RowSegment {
  private readonly kernel: Kernel;
  private readonly all: readonly (LaneColumn | RunColumn)[];
  private readonly columns: readonly LaneColumn[];
  private readonly runs: readonly RunColumn[];

  constructor(table: Table, kernel: Kernel, memory: KernelMemory) {
    this.kernel = kernel;
    this.all = segmentColumns(table).map(({ name, type, nullable, inRuns }) =>
      inRuns ? new RunColumn(name, type, { large: false }) : new LaneColumn(name, type, nullable ?? false, kernel, memory),
    );
    this.columns = this.all.filter((column) => column instanceof LaneColumn);
    this.runs = this.all.filter((column) => column instanceof RunColumn);
  }

  /** Where the kernel finds a column; 0 if there is none of this name. */
  address(name: string): number {
    return this.columns.find((column) => column.name === name)?.address ?? 0;
  }

  column(name: string): RowColumn {
    const column = this.columns.find((candidate) => candidate.name === name);
    if (column === undefined) throw new TypeError(`The lane's segment has no column ${name} that takes a value a row`);
    return column;
  }

  endRow(): void {
    this.kernel.endRow();
  }

  get rows(): number {
    return this.kernel.rowCount();
  }

  get isFull(): boolean {
    if (this.rows >= LANE_ROWS) return true;
    let size = 0;
    for (const column of this.columns) size += column.byteSize;
    return size > LARGE;
  }

  /** Where its rows came from; undefined: from the same source as those before. */
  startRuns(source: string | undefined, receivedAtMicros: number): void {
    for (const column of this.runs) {
      if (column.name !== 'source') column.startNumber(this.rows, receivedAtMicros);
      else if (source !== undefined) {
        const bytes = UTF8.encode(source);
        column.startText(this.rows, bytes, 0, bytes.length);
      }
    }
  }

  /** Counts how late its events came. */
  tallyEventLag(tally: EventLagTally): void {
    tallyEventLag(this.all, this.rows, tally);
  }

  writeTo(path: string): void {
    writeSegment(path, this.all, this.rows);
  }

  /** Forgets where rows come from as well. */
  reset(): void {
    for (const column of this.all) column.reset();
    this.kernel.clear();
  }
}

const UTF8 = new TextEncoder();
