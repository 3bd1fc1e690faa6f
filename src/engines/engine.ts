import type { ResultColumn, ResultTable } from '../domain/result-table.ts';
import type { Table } from '../domain/table.ts';

/**
 * The port of the engines: what the pipeline asks of a database that runs `models/*.sql`.
 *
 * An engine keeps tables between batches, runs the models' SQL with the macros they name, and makes a batch visible at once
 * or not at all. It does not know what a batch means; `batches/` does.
 */
export interface Engine {
  readonly capabilities: EngineCapabilities;
  /** What the engine adds to SQL of its own: another text means that macros and views must be defined again. */
  readonly dialect: string;
  /** Defines the macros that models call, and each setting as a macro `name()`. */
  defineMacros(settings: Readonly<Record<string, bigint | boolean>>): Promise<void>;
  /** Creates the tables that are not there, and adds the columns that they lack. */
  ensureTables(tables: readonly StoredTable[]): Promise<void>;
  /** Runs `work` so that all it writes is visible at once, or, when it throws, not at all. One at a time: whoever writes sees to that. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Makes staged segments readable as `staged_<table name>`; without segments the table is empty. */
  stage(table: Table, segments: readonly string[]): Promise<void>;
  /** Runs one statement that gives no rows, and says how many it put into a table. */
  run(sql: string): Promise<number>;
  /** Adds the rows of a query, by column name, to a table (`store.clicks`). The query may be run more than once. */
  append(table: string, select: string): Promise<void>;
  /** Removes the rows of a table whose DATE column `column` is before a day, from all states that can be read; of an archived table by its own column. */
  removeBefore(table: string, column: string, day: string): Promise<void>;
  /** What `this_batch()`, `this_cause()`, `as_of()` and `clicks_settled_from()` and its like give from now on. */
  setVariables(variables: EngineVariables): Promise<void>;
  /** All rows of a small result. Integers come as bigint, times as microseconds since 1970 (bigint), dates as days, keys as UUID text. */
  rows<Row extends EngineRow = EngineRow>(sql: string, parameters?: Readonly<Record<string, EngineValue>>): Promise<Row[]>;
  /** A result of any size, as it comes, for a person or a program; read-only statements alone are let through. */
  query(sql: string, parameters?: Readonly<Record<string, EngineValue>>): Promise<ResultTable>;
  /**
   * Gives `work` a reader of the tables as they were after a batch (null: after the last one). What it reads is one committed state,
   * whatever is written meanwhile. Several readers can be at work at the same time: what one of them runs does not wait for the others.
   * Once the signal is aborted, what it runs stops, and throws.
   */
  withReader<T>(asOf: number | null, work: (reader: EngineReader) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Puts rows into a table, by column name. */
  insert(table: Table, rows: readonly EngineRow[]): Promise<void>;
  /**
   * Puts in order what the last batches wrote, as `close` would, while readers and a batch are at work. What is not done here is done by `close`,
   * or by whoever opens the tables next.
   */
  settle(merging: Merging): Promise<void>;
  /** How much `settle` would have to put in order, in bytes: about as much has to be read when the tables are opened next. */
  unsettledBytes(): Promise<number>;
  /** Stops what runs at the moment, also what readers run: it throws. */
  interrupt(): void;
  close(): Promise<void>;
}

/** How much of what many small batches left in small pieces is put together: nothing, which is quick; of each table a bounded part, as `close` does; or all of it, which may take minutes. */
export type Merging = 'none' | 'some' | 'all';

export interface EngineVariables {
  readonly batch?: number;
  readonly cause?: string;
  readonly asOf?: number | null;
  readonly settledFrom?: SettledFrom;
}

/** Times, in microseconds, from which on each thing can be judged again (`store.settled`). */
export interface SettledFrom {
  readonly clicks: bigint;
  readonly matches: bigint;
  readonly conversions: bigint;
}

/** Reads the tables as they were after one batch, and writes no table. */
export interface EngineReader {
  /** As those of the engine. */
  rows<Row extends EngineRow = EngineRow>(sql: string, parameters?: Readonly<Record<string, EngineValue>>): Promise<Row[]>;
  /** Writes the rows of a query to one Parquet file (zstd). */
  copyToParquet(sql: string, path: string): Promise<void>;
  /**
   * Writes the rows of a query to Parquet files below an empty folder, one for each value of its DATE column `day`, and says where
   * each is, by YYYY-MM-DD. The files do not have that column. For some dozens of days at most: all files are open at once.
   */
  copyToParquetByDay(sql: string, day: string, folder: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Writes a day's rows of an archived table, in all their versions, to a Parquet file: its columns in the table's order
   * without `since_batch`, keys as text. False, and no file, where the engine has no shorter way than a query.
   */
  copyArchivedDay(table: string, day: string, path: string): Promise<boolean>;
}

/**
 * What an engine that owns its tables does for other processes, beside its own work. A statement sees one state of the tables: as
 * they were committed last, never half a batch. Reading is all that is let through, and of the tables alone.
 */
export interface SharedEngine {
  /**
   * Once the signal is aborted it throws what that was aborted with, where it is an `AdvertiseXError`, else `interrupted`; so does the
   * result. `query_too_large` where the statement needs more than there is, or where the engine's own work needs it.
   */
  read(statement: ReadStatement, signal: AbortSignal): Promise<ReadResult>;
  memory(): Promise<EngineMemory>;
}

/** What the engine has in use at the moment, by its own count: what it allocates past that is not in it. */
export interface EngineMemory {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** Of those: what cannot be put on disk when something else needs memory. */
  readonly fixedBytes: number;
  /** On disk, because it did not fit. */
  readonly spilledBytes: number;
}

export interface ReadStatement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, EngineValue>>;
  /** Null: with the tables as they are. */
  readonly asOf: number | null;
  /** As `rows` gives them, or as `query` does. */
  readonly values: 'engine' | 'cells';
}

export interface ReadResult {
  readonly columns: readonly ResultColumn[];
  /** The next rows, some at a time; undefined after the last ones. */
  next(): Promise<readonly (readonly EngineValue[])[] | undefined>;
  /** To be called once `next` is not at work and is not called again. */
  close(): void;
}

export interface StoredTable extends Table {
  /**
   * Set for a table whose rows are only ever added, and of which models hardly read what earlier batches added: the name of its
   * DATE column. Large appends to it need not go through the engine's own storage.
   */
  readonly archivedBy?: string;
}

export interface EngineCapabilities {
  readonly name: string;
  /** All tables and the source positions change in one transaction. */
  readonly transactions: boolean;
}

export type EngineValue = string | number | bigint | boolean | Uint8Array | null;
export type EngineRow = Readonly<Record<string, EngineValue>>;
