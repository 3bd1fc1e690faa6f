import type { Table } from '../../domain/table.ts';
import type { StagedType } from '../../staging/column-builder.ts';
import type { FilledColumn } from '../../staging/parquet-file.ts';
import { RunColumn } from '../../staging/run-column.ts';
import { segmentColumns } from '../../staging/segment-columns.ts';
import { writeSegment } from '../../staging/segment-writer.ts';
import type { Kernel, KernelMemory } from './kernel-memory.ts';
import {
  COLUMN_BYTES,
  COLUMN_CAPACITY,
  COLUMN_DATA,
  COLUMN_MAXIMUM,
  COLUMN_MINIMUM,
  COLUMN_NULLS,
  COLUMN_POSITION,
  COLUMN_PRESENCE,
  LANE_ROWS,
} from './layout.ts';

/** Of all columns together: a segment that holds more is written before it has all its rows. */
const LARGE = 67_108_864;
const FIRST_CAPACITY = 65_536;

/** One column of the lane's segment: filled by the kernel in its memory, read from there when the segment is written. */
class LaneColumn implements FilledColumn {
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
    this.forgetRange();
  }

  get rows(): number {
    return this.kernel.rowCount();
  }

  get nulls(): number {
    return this.memory.word(this.address + COLUMN_NULLS);
  }

  get minimum(): number {
    return Number(this.memory.view.getBigInt64(this.address + COLUMN_MINIMUM, true));
  }

  get maximum(): number {
    return Number(this.memory.view.getBigInt64(this.address + COLUMN_MAXIMUM, true));
  }

  get byteSize(): number {
    const position = this.memory.word(this.address + COLUMN_POSITION);
    return this.type === 'boolean' ? (position + 7) >> 3 : position;
  }

  values(): Uint8Array {
    const data = this.memory.word(this.address + COLUMN_DATA);
    return this.memory.bytes.subarray(data, data + this.byteSize);
  }

  presence(): Uint8Array {
    const presence = this.memory.word(this.address + COLUMN_PRESENCE);
    return this.memory.bytes.subarray(presence, presence + ((this.rows + 7) >> 3));
  }

  reset(): void {
    // Bits are set with |=, so what was used must be zero again.
    if (this.type === 'boolean') this.values().fill(0);
    this.presence().fill(0);
    this.memory.setWord(this.address + COLUMN_POSITION, 0);
    this.memory.setWord(this.address + COLUMN_NULLS, 0);
    this.forgetRange();
  }

  private forgetRange(): void {
    this.memory.view.setBigInt64(this.address + COLUMN_MINIMUM, 2n ** 63n - 1n, true);
    this.memory.view.setBigInt64(this.address + COLUMN_MAXIMUM, -(2n ** 63n), true);
  }
}

/** The segment that the kernel fills. */
export class LaneSegment {
  private readonly kernel: Kernel;
  private readonly all: readonly (LaneColumn | RunColumn)[];
  private readonly columns: readonly LaneColumn[];

  constructor(table: Table, kernel: Kernel, memory: KernelMemory) {
    this.kernel = kernel;
    this.all = segmentColumns(table).map(({ name, type, nullable, inRuns }) =>
      inRuns ? new RunColumn(name, type, { large: false }) : new LaneColumn(name, type, nullable ?? false, kernel, memory),
    );
    this.columns = this.all.filter((column) => column instanceof LaneColumn);
  }

  /** Where the kernel finds a column; 0 if there is none of this name. */
  address(name: string): number {
    return this.columns.find((column) => column.name === name)?.address ?? 0;
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

  /** Where its rows came from. */
  startRuns(source: string, receivedAtMicros: number): void {
    const bytes = UTF8.encode(source);
    for (const column of this.all) {
      if (!(column instanceof RunColumn)) continue;
      if (column.name === 'source') column.startText(this.rows, bytes, 0, bytes.length);
      else column.startNumber(this.rows, receivedAtMicros);
    }
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
