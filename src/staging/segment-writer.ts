import { closeSync, openSync, rmSync, writevSync } from 'node:fs';
import { AdvertiseXError } from '../domain/errors.ts';
import type { EventLagTally } from '../domain/event-lag.ts';
import { ColumnBuilder, MAX_SEGMENT_ROWS, type RowSegment, type SegmentFill, type StagedType } from './column-builder.ts';
import { type FilledColumn, layOutFile, layOutZstdFile } from './parquet-file.ts';
import { RunColumn } from './run-column.ts';
import { tallyEventLag } from './tally-event-lag.ts';

/** One column of a segment. `inRuns`: its value is told when it changes (`startRun…`), not once a row; such a column holds no null. */
export interface StagedColumn {
  readonly name: string;
  readonly type: StagedType;
  readonly nullable?: boolean;
  readonly inRuns?: boolean;
}

/**
 * Writes staged segments: Parquet files of decoded records that the edge hands to the engine. Append each row's value to every
 * column, write the file when `isFull` or when the records end, reset, go on: the memory is used again.
 *
 * Not safe against a crash while writing, and need not be: nothing refers to a segment before it is complete.
 */
export class SegmentWriter implements RowSegment {
  /** Those that take a value a row, in the order given. */
  readonly columns: readonly ColumnBuilder[];
  private readonly runs: ReadonlyMap<string, RunColumn>;
  private readonly all: readonly (ColumnBuilder | RunColumn)[];
  private readonly fill: SegmentFill = { large: false };
  /** Counts the rows. */
  private readonly first: ColumnBuilder;

  constructor(columns: readonly StagedColumn[]) {
    this.all = columns.map((column) =>
      column.inRuns ? new RunColumn(column.name, column.type, this.fill) : new ColumnBuilder(column.name, column.type, column.nullable ?? false, this.fill),
    );
    this.columns = this.all.filter((column) => column instanceof ColumnBuilder);
    this.runs = new Map(this.all.filter((column) => column instanceof RunColumn).map((column) => [column.name, column]));
    const [first] = this.columns;
    if (first === undefined) throw new TypeError('A segment needs a column whose values are not in runs: it counts the rows');
    this.first = first;
  }

  /** The column that values are appended to. */
  column(name: string): ColumnBuilder {
    const column = this.columns.find((candidate) => candidate.name === name);
    if (column === undefined) throw new TypeError(`The segment has no column ${name} that takes a value a row`);
    return column;
  }

  /** Rows from the next one on have this value, until the next call. */
  startTextRun(name: string, text: string): void {
    const bytes = UTF8.encode(text);
    this.runColumn(name).startText(this.first.rows, bytes, 0, bytes.length);
  }

  startNumberRun(name: string, value: number): void {
    this.runColumn(name).startNumber(this.first.rows, value);
  }

  get rows(): number {
    return this.first.rows;
  }

  /** True when the segment must be written before another row is appended. */
  get isFull(): boolean {
    return this.first.rows >= MAX_SEGMENT_ROWS || this.fill.large;
  }

  /** Bytes of the values so far. */
  get byteSize(): number {
    let size = 0;
    for (const column of this.all) size += column.byteSize;
    return size;
  }

  /** Counts how late its events came. */
  tallyEventLag(tally: EventLagTally): void {
    tallyEventLag(this.all, this.rows, tally);
  }

  /** Writes the segment; a file that could not be written whole is removed. The rows stay until `reset`. */
  writeTo(path: string): { rows: number; bytes: number } {
    return writeSegment(path, this.all, this.rows);
  }

  /** The parts of a file that is to be kept: as `writeTo` writes, its pages compressed. Nothing may be appended meanwhile. */
  compressed(): Promise<Uint8Array[]> {
    requireWholeRows(this.all, this.rows);
    return layOutZstdFile(this.all, this.rows);
  }

  reset(): void {
    for (const column of this.all) column.reset();
    this.fill.large = false;
  }

  private runColumn(name: string): RunColumn {
    const column = this.runs.get(name);
    if (column === undefined) throw new TypeError(`The segment has no column ${name} in runs`);
    return column;
  }
}

/** Writes columns as a segment; a file that could not be written whole is removed. */
export function writeSegment(path: string, columns: readonly FilledColumn[], rows: number): { rows: number; bytes: number } {
  requireWholeRows(columns, rows);
  const parts = layOutFile(columns, rows);
  try {
    return { rows, bytes: writeFile(path, parts) };
  } catch (cause) {
    throw stagingFailure(path, cause);
  }
}

/** A column that is a value short or long would shift rows against each other: wrong figures, silently. */
function requireWholeRows(columns: readonly FilledColumn[], rows: number): void {
  if (rows > MAX_SEGMENT_ROWS) throw new RangeError(`A segment of ${rows} rows: the most is ${MAX_SEGMENT_ROWS}`);
  for (const column of columns) {
    if (!column.covers(rows)) throw new RangeError(`Column ${column.name} does not tell the value of each of ${rows} rows`);
    if (column.nulls > 0 && !column.nullable) throw new RangeError(`Column ${column.name} holds a null and must not`);
  }
}

const UTF8 = new TextEncoder();

function writeFile(path: string, parts: readonly Uint8Array[]): number {
  const file = openSync(path, 'w');
  let complete = false;
  try {
    const bytes = writeAll(file, parts);
    complete = true;
    return bytes;
  } finally {
    closeSync(file);
    if (!complete) rmSync(path, { force: true });
  }
}

/** All of it: a write may take less than it is given, on a disk that fills up for one. */
function writeAll(file: number, parts: readonly Uint8Array[]): number {
  let rest = parts.filter((part) => part.length > 0);
  let total = 0;
  while (rest.length > 0) {
    let written = writevSync(file, rest.slice(0, MAX_PARTS_A_WRITE));
    total += written;
    let whole = 0;
    while (whole < rest.length && written >= (rest[whole] as Uint8Array).length) written -= (rest[whole++] as Uint8Array).length;
    rest = rest.slice(whole);
    if (written > 0) rest[0] = (rest[0] as Uint8Array).subarray(written);
  }
  return total;
}

/** POSIX allows as few as 16, Linux 1024. */
const MAX_PARTS_A_WRITE = 512;

function stagingFailure(path: string, cause: unknown): AdvertiseXError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AdvertiseXError(
      'disk_full',
      `There is no space left to stage records in ${path}`,
      'Free space, or move the data directory (--data) to a larger disk, and run the same command again.',
      cause,
    );
  }
  return new AdvertiseXError(
    'data_unusable',
    `Records cannot be staged in ${path}: ${(cause as Error).message}`,
    'Check that the data directory exists and that this user may write to it, then run the same command again.',
    cause,
  );
}
