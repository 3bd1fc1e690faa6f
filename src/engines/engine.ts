import type { Table } from '../domain/table.ts';

/**
 * The port of the engines: what the pipeline asks of a database that runs `models/*.sql`.
 *
 * An engine keeps tables between batches, runs the models' SQL with the macros they name, and makes a batch visible at once
 * or not at all. It does not know what a batch means; `batches/` does.
 */
export interface Engine {
  readonly capabilities: EngineCapabilities;
  /** Runs `work` so that all it writes is visible at once, or, when it throws, not at all. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** Makes staged segments readable as a table of that name; without segments the table is empty. */
  stage(table: Table, segments: readonly string[]): Promise<void>;
  /** Runs one statement that gives no rows. */
  run(sql: string): Promise<void>;
  /** Runs one query. 64-bit integers come as bigint, times as microseconds since 1970 in bigint, dates as days, keys as text. */
  rows<Row extends EngineRow = EngineRow>(sql: string, parameters?: Readonly<Record<string, EngineValue>>): Promise<Row[]>;
  /** What `this_batch()`, `this_cause()` and `as_of()` give from now on; NULL where left out. */
  setVariables(variables: { batch?: bigint; cause?: string; asOf?: bigint | null }): Promise<void>;
  /** Puts rows into a table, by column name. */
  insert(table: string, rows: readonly EngineRow[]): Promise<void>;
  /** Stops what runs at the moment. */
  interrupt(): void;
  close(): Promise<void>;
}

export interface EngineCapabilities {
  readonly name: string;
  /** All tables and the source positions change in one transaction. */
  readonly transactions: boolean;
}

export type EngineValue = string | number | bigint | boolean | null;
export type EngineRow = Readonly<Record<string, EngineValue>>;
