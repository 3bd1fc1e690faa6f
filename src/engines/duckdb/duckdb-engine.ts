import { stat } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { bytesOfSize } from '../../config/settings.ts';
import { queryTooLarge, stopReason } from '../../domain/errors.ts';
import type { CellValue, ResultTable } from '../../domain/result-table.ts';
import type { ColumnType, Table, TableColumn } from '../../domain/table.ts';
import type {
  Engine,
  EngineMemory,
  EngineReader,
  EngineRow,
  EngineValue,
  EngineVariables,
  Merging,
  ReadResult,
  ReadStatement,
  SharedEngine,
  StoredTable,
} from '../engine.ts';
import { Archive, type ArchiveOptions } from './archive.ts';
import { engineFailure, isOutOfMemory } from './failures.ts';
import { MACROS } from './macros.ts';
import { DuckDbReader } from './reader.ts';
import { ReadingConnections } from './reading-connections.ts';
import { Session } from './session.ts';
import { beginReading, INTERRUPT_EVERY_MS, readStatement } from './shared-reading.ts';
import { quote, SQL_TYPES, setAsOf, text } from './values.ts';

export interface DuckDbOptions {
  /** The database file; absent: in memory. */
  readonly path?: string;
  readonly access: 'read' | 'write';
  /** What DuckDB may use for its own, `800MB`. */
  readonly memory: string;
  readonly threads: number;
  /** Where DuckDB puts what does not fit into memory. */
  readonly spillDirectory: string;
  /** Absent: all rows are in the database. */
  readonly archive?: ArchiveOptions;
  /**
   * Where the engine may read and write files beside its own and the archive. Absent: anywhere when it writes, nowhere when it only
   * reads. People write queries: they see the tables, not the machine's files.
   */
  readonly directories?: readonly string[];
}

/** DuckDB in this process: one file, one writer, a batch a transaction. */
export class DuckDbEngine implements Engine, SharedEngine {
  readonly capabilities = { name: 'duckdb', transactions: true };
  readonly dialect = MACROS.join('\n');
  private readonly instance: DuckDBInstance;
  private readonly session: Session;
  private readonly path: string | undefined;
  private readonly archive: Archive | undefined;
  private readonly connections: ReadingConnections;
  private readonly readers = new Set<Pick<Session, 'interrupt'>>();
  /** Statements of others that are at work. */
  private readonly shared = new Set<AbortController>();
  private readonly limitBytes: number;
  /** Files that are no part of the archive any more, and who began to read when they were: they may still open them. */
  private leaving: { readonly files: readonly string[]; readonly readers: Set<object> }[] = [];
  private asOf: number | null = null;

  private constructor(instance: DuckDBInstance, session: Session, { path, archive, memory }: DuckDbOptions) {
    this.instance = instance;
    this.connections = new ReadingConnections(instance);
    this.path = path;
    this.limitBytes = bytesOfSize(memory);
    this.session = session;
    this.archive = archive === undefined ? undefined : new Archive(this, archive);
  }

  static async open(options: DuckDbOptions): Promise<DuckDbEngine> {
    try {
      const instance = await DuckDBInstance.create(options.path ?? ':memory:', {
        access_mode: options.access === 'read' ? 'READ_ONLY' : 'READ_WRITE',
        memory_limit: options.memory,
        threads: String(options.threads),
        temp_directory: options.spillDirectory,
        // Without order to keep, DuckDB inserts from several threads at once; every table has its order in its columns.
        preserve_insertion_order: 'false',
        enable_external_access: 'true',
        // Its newer string compression takes a third less time to write than what older versions can read, in the same space.
        storage_compatibility_version: 'v1.5.0',
        // Segments are read once or twice, and a path may come again with other bytes.
        enable_external_file_cache: 'false',
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
      });
      const engine = new DuckDbEngine(instance, new Session(await instance.connect()), options);
      await engine.run(`set checkpoint_threshold = '1GB'; set max_vacuum_tasks = ${MERGES.some}`);
      await engine.archive?.load();
      if (options.access === 'write') await engine.archive?.sweep();
      if (options.access === 'read' || options.directories !== undefined) await engine.shutOut(options);
      return engine;
    } catch (cause) {
      throw engineFailure(cause, options.path ?? 'in memory');
    }
  }

  private async shutOut({ archive, directories = [] }: DuckDbOptions): Promise<void> {
    const allowed = archive === undefined ? directories : [archive.directory, ...directories];
    if (allowed.length > 0) await this.run(`set allowed_directories = [${allowed.map(text).join(', ')}]`);
    await this.run("set enable_external_access = false; set allowed_configs = ['max_vacuum_tasks']");
    await this.run('set lock_configuration = true');
  }

  async defineMacros(settings: Readonly<Record<string, bigint | boolean>>): Promise<void> {
    const constants = Object.entries(settings).map(([name, value]) => `${name}() as ${typeof value === 'bigint' ? `cast(${value} as bigint)` : value}`);
    await this.run(SCHEMAS.map((schema) => `create schema if not exists ${schema}`).join('; '));
    await this.run([...MACROS, ...constants].map((macro) => `create or replace macro ${macro}`).join('; '));
  }

  async ensureTables(tables: readonly StoredTable[]): Promise<void> {
    const { archive } = this;
    const held: StoredTable[] = [];
    for (const table of tables) held.push(archive?.isArchived(table.name) ? await archive.takeOver(table) : table);
    await this.ensureColumns(held);
    await archive?.defineViews();
  }

  private async ensureColumns(tables: readonly Table[]): Promise<void> {
    const rows = await this.rows<{ table_name: string; column_name: string }>(
      "select table_name, column_name from duckdb_columns() where schema_name = 'store'",
    );
    const held = new Map<string, Set<string>>();
    for (const { table_name, column_name } of rows) held.set(table_name, (held.get(table_name) ?? new Set()).add(column_name));
    for (const table of tables) {
      const columns = held.get(table.name);
      const missing = table.columns.filter((column) => !columns?.has(column.name));
      const declared = ({ name, type }: TableColumn) => `${quote(name)} ${SQL_TYPES[type]}`;
      if (columns === undefined) await this.run(`create table store.${table.name} (${missing.map(declared).join(', ')})`);
      else for (const column of missing) await this.addColumn(table.name, declared(column), column);
    }
  }

  private async addColumn(table: string, declared: string, { name, from }: TableColumn): Promise<void> {
    await this.run(`alter table store.${table} add column ${declared}`);
    if (from !== undefined) await this.run(`update store.${table} set ${quote(name)} = ${from}`);
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run('begin transaction');
    try {
      const result = await work();
      await this.run('commit');
      const removed = this.archive?.settle() ?? [];
      if (removed.length > 0) this.leaving.push({ files: removed, readers: new Set<object>([...this.readers, ...this.shared]) });
      await this.removeFiles();
      return result;
    } catch (error) {
      // A failed commit has rolled back already; what is thrown is the first error.
      await this.run('rollback').catch(() => undefined);
      await this.archive?.discard().catch(() => undefined);
      if (isOutOfMemory(error)) this.makeRoom();
      throw error;
    }
  }

  async stage(table: Table, segments: readonly string[]): Promise<void> {
    const columns = table.columns
      .map(({ name, type }) => `cast(${segments.length === 0 ? 'null' : quote(name)} as ${SQL_TYPES[type]}) as ${quote(name)}`)
      .join(', ');
    const files = segments.map((segment) => text(segment)).join(', ');
    await this.run(
      `create or replace temp view staged_${table.name} as select ${columns} ${segments.length === 0 ? 'where false' : `from read_parquet([${files}])`}`,
    );
  }

  run(sql: string): Promise<number> {
    return this.session.run(sql);
  }

  async append(table: string, select: string): Promise<void> {
    const name = table.replace(/^store\./, '');
    if (this.archive?.isArchived(name)) await this.archive.append(name, select);
    else await this.run(`insert into ${table} by name ${select}`);
  }

  async removeBefore(table: string, column: string, day: string): Promise<void> {
    const name = table.replace(/^store\./, '');
    if (this.archive?.isArchived(name)) await this.archive.removeBefore(name, day);
    else await this.run(`delete from ${table} where ${quote(column)} < cast(${text(day)} as date)`);
  }

  async setVariables({ batch, cause, asOf, settledFrom }: EngineVariables): Promise<void> {
    if (batch !== undefined) await this.run(`set variable this_batch = cast(${batch} as bigint)`);
    if (cause !== undefined) await this.run(`set variable this_cause = ${text(cause)}`);
    if (asOf !== undefined) {
      this.asOf = asOf;
      await this.run(setAsOf(asOf));
    }
    if (settledFrom !== undefined)
      await this.run(
        Object.entries(settledFrom)
          .map(([name, micros]) => `set variable ${name}_settled_from = make_timestamp(${micros})`)
          .join('; '),
      );
  }

  rows<Row extends EngineRow = EngineRow>(sql: string, parameters?: Readonly<Record<string, EngineValue>>): Promise<Row[]> {
    return this.session.rows<Row>(sql, parameters);
  }

  async withReader<T>(asOf: number | null, work: (reader: EngineReader) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw stopReason(signal);
    const session = new Session(await this.instance.connect());
    let interrupting: NodeJS.Timeout | undefined;
    // A statement that has not begun yet does not notice that it was interrupted.
    const stop = (): void => {
      session.interrupt();
      interrupting ??= setInterval(() => session.interrupt(), INTERRUPT_EVERY_MS);
    };
    this.readers.add(session);
    signal?.addEventListener('abort', stop);
    try {
      await beginReading(session, this.archive, asOf);
      return await work(new DuckDbReader(session, this.archive));
    } finally {
      signal?.removeEventListener('abort', stop);
      clearInterval(interrupting);
      session.close();
      await this.forget(this.readers, session);
    }
  }

  async query(sql: string, parameters: Readonly<Record<string, EngineValue>> = {}): Promise<ResultTable> {
    const result = await this.read({ sql, parameters, asOf: this.asOf, values: 'cells' }, NEVER);
    return { columns: result.columns, rows: readRows(result) };
  }

  /** The result is read while other statements run. */
  async read(statement: ReadStatement, signal: AbortSignal): Promise<ReadResult> {
    const stopped = new AbortController();
    this.shared.add(stopped);
    try {
      const result = await readStatement(this.connections, this.archive, statement, AbortSignal.any([signal, stopped.signal]));
      const close = (): void => {
        result.close();
        void this.forget(this.shared, stopped);
      };
      return { ...result, close };
    } catch (cause) {
      await this.forget(this.shared, stopped);
      throw cause;
    }
  }

  /** Who reads at the moment, beside the batches. */
  get reading(): number {
    return this.connections.inUse + this.readers.size;
  }

  async memory(): Promise<EngineMemory> {
    const session = new Session(await this.instance.connect());
    try {
      const [row] = await session.rows<{ used: bigint; fixed: bigint; spilled: bigint }>(MEMORY_IN_USE);
      return { limitBytes: this.limitBytes, usedBytes: Number(row?.used), fixedBytes: Number(row?.fixed), spilledBytes: Number(row?.spilled) };
    } finally {
      session.close();
    }
  }

  /** What could not be written for lack of memory is tried again: then nobody is to hold any who could come another time. */
  private makeRoom(): void {
    for (const reader of this.shared) reader.abort(queryTooLarge('The memory that the query held was needed for a batch'));
  }

  private async forget<Reader extends object>(readers: Set<Reader>, reader: Reader): Promise<void> {
    readers.delete(reader);
    for (const left of this.leaving) left.readers.delete(reader);
    await this.removeFiles();
  }

  private async removeFiles(): Promise<void> {
    const free = this.leaving.filter(({ readers }) => readers.size === 0);
    this.leaving = this.leaving.filter((each) => !free.includes(each));
    for (const { files } of free) await this.archive?.removeFiles(files);
  }

  async insert(table: Table, rows: readonly EngineRow[]): Promise<void> {
    const columns = table.columns.map((column) => quote(column.name)).join(', ');
    for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT) {
      const part = rows.slice(from, from + ROWS_A_STATEMENT);
      let place = 0;
      const values = part.map(() => `(${table.columns.map(({ type }) => insertedValue(type, ++place)).join(', ')})`).join(', ');
      await this.session.run(
        `insert into store.${table.name} (${columns}) values ${values}`,
        part.flatMap((row) => table.columns.map((column) => row[column.name] ?? null)),
      );
    }
  }

  async settle(merging: Merging): Promise<void> {
    const session = new Session(await this.instance.connect());
    this.readers.add(session);
    try {
      await session.run(`set max_vacuum_tasks = ${MERGES[merging]}`);
      await session.run('checkpoint').finally(() => session.run(`set max_vacuum_tasks = ${MERGES.some}`));
    } finally {
      this.readers.delete(session);
      session.close();
    }
  }

  async unsettledBytes(): Promise<number> {
    if (this.path === undefined) return 0;
    return (await stat(`${this.path}.wal`).catch(() => undefined))?.size ?? 0;
  }

  interrupt(): void {
    for (const session of [this.session, ...this.readers]) session.interrupt();
    for (const reader of this.shared) reader.abort();
  }

  async close(): Promise<void> {
    await this.connections.close();
    this.session.close();
    this.instance.closeSync();
  }
}

const NEVER = new AbortController().signal;

/**
 * Each checkpoint leaves the rows since the last one in row groups of their own. One task of DuckDB's vacuum puts neighbouring ones of a table together, three full ones (122,880 rows)
 * at most, and takes a second for wide rows, in which no batch can add to that table.
 */
const MERGES: Readonly<Record<Merging, number>> = { none: 0, some: 1, all: 100 };

async function* readRows(result: ReadResult): AsyncGenerator<readonly CellValue[]> {
  try {
    for (let rows = await result.next(); rows !== undefined; rows = await result.next()) yield* rows as readonly (readonly CellValue[])[];
  } finally {
    result.close();
  }
}

/** States of aggregates and the like are in the allocator's arenas, which are never spilled. */
const MEMORY_IN_USE = `
  select cast(coalesce(sum(memory_usage_bytes), 0) as bigint) as used,
         cast(coalesce(sum(memory_usage_bytes) filter (tag = 'ALLOCATOR'), 0) as bigint) as fixed,
         cast(coalesce(sum(temporary_storage_bytes), 0) as bigint) as spilled
  from duckdb_memory()`;

const ROWS_A_STATEMENT = 200;

/** Times are handed in as microseconds. */
function insertedValue(type: ColumnType, place: number): string {
  return type === 'timestamp' ? `make_timestamp(cast($${place} as bigint))` : `cast($${place} as ${SQL_TYPES[type]})`;
}

const SCHEMAS = ['store', 'silver', 'gold', 'ops', 'ref'] as const;
