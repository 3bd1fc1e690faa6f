import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { joinParquetFiles } from '../../staging/join-parquet-files.ts';
import type { EngineRow, StoredTable } from '../engine.ts';
import { engineFailure } from './failures.ts';
import type { Session } from './session.ts';
import { PARQUET, quote, SQL_TYPES, text } from './values.ts';

export interface ArchiveOptions {
  readonly directory: string;
  readonly tables: readonly StoredTable[];
  /** What a batch adds to a day goes into a part from so many rows on; fewer go into the database, where they are cheaper. */
  readonly fromRows?: number;
}

/** What the archive asks of a connection that it works on. */
interface Statements {
  run(sql: string): Promise<unknown>;
  rows<Row extends EngineRow>(sql: string): Promise<Row[]>;
}

interface Part {
  readonly table_name: string;
  readonly file: string;
  /** In the order of the file, by line; a table gains columns over time. */
  readonly columns: string;
}

const FROM_ROWS = 50_000;
const PARTS = 'store.archive_parts';

/**
 * Archived tables on DuckDB. `store.<table>` is a view over `store.<table>_rows`, where small appends go, and over parts:
 *
 *     archive/bid_requests/7/2026-01-05-0.parquet       what batch 7 added to that day
 *
 * What is there is what `store.archive_parts` says, which changes with the batch: a file that a batch wrote and did not commit is
 * read by nobody, and goes when the database is opened next. The view finds the files of parts in variables of the connection,
 * one for all parts of the same columns: the data directory can be moved, and a thousand parts cost a statement some 30 ms, where
 * their names in the view's text cost 80. The batch of a row is in the path of its part, so that DuckDB opens only the parts of the
 * batches that are asked for; it is not there Hive's way, because Hive's `column=value` holds for every folder above as well.
 */
export class Archive {
  private readonly statements: Statements;
  private readonly options: ArchiveOptions;
  private readonly tables: ReadonlyMap<string, StoredTable>;
  /** Files written since the last commit. */
  private uncommitted: string[] = [];
  /** Files of parts that the transaction at hand removes. */
  private removing: string[] = [];
  private readonly lists = new Map<string, string[]>();
  /** What connections were told that are used more than once: which state of the parts it was. */
  private readonly told = new WeakMap<object, string>();

  constructor(statements: Statements, options: ArchiveOptions) {
    this.statements = statements;
    this.options = options;
    this.tables = new Map(options.tables.flatMap((table) => (table.archivedBy === undefined ? [] : [[table.name, table]])));
  }

  /** Reads which parts are committed, and tells the connection. */
  async load(): Promise<void> {
    this.lists.clear();
    for (const part of await partsOf(this.statements)) this.enlist(part);
    if (this.lists.size > 0) await this.statements.run(setLists(this.lists));
  }

  /** Tells another connection, in whose transaction it is, which parts that transaction sees; unless it knows. */
  async tell(reader: Session): Promise<void> {
    const state = await stateOf(reader);
    if (state === undefined || this.told.get(reader.connection) === state) return;
    const lists = new Map<string, string[]>();
    for (const part of await partsOf(reader)) this.enlist(part, lists);
    if (lists.size > 0) await reader.run(setLists(lists));
    this.told.set(reader.connection, state);
  }

  isArchived(name: string): boolean {
    return this.tables.has(name);
  }

  /** Where the rows of a table are that are in the database. A table from before it was archived keeps its rows. */
  async takeOver(table: StoredTable): Promise<StoredTable> {
    const rows = { name: rowsOf(table), columns: table.columns };
    const before = `select 1 as found from duckdb_tables() where schema_name = 'store' and table_name = '${table.name}'`;
    if ((await this.statements.rows(before)).length > 0) await this.statements.run(`alter table store.${table.name} rename to ${rows.name}`);
    return rows;
  }

  /** Once the tables of rows are there. */
  async defineViews(): Promise<void> {
    await this.statements.run(
      `create table if not exists ${PARTS} (table_name varchar, file varchar, day date, since_batch bigint, rows bigint, columns varchar)`,
    );
    for (const table of this.tables.values()) await this.defineView(table);
  }

  async append(name: string, select: string): Promise<void> {
    const table = this.tables.get(name) as StoredTable;
    const day = quote(table.archivedBy as string);
    const groups = await this.statements.rows<{ day: string; since_batch: bigint; rows: bigint }>(
      `select cast(${day} as varchar) as day, since_batch, count(*) as rows from (${select}) s where ${day} is not null group by all order by all`,
    );
    const large = groups.filter(({ rows }) => Number(rows) >= (this.options.fromRows ?? FROM_ROWS));
    for (const group of large) await this.writePart(table, select, group);
    const archived = large.map((group) => `(${day} = cast('${group.day}' as date) and since_batch = ${group.since_batch})`).join(' or ');
    if (large.length === 0 || large.length < groups.length)
      await this.statements.run(
        `insert into store.${rowsOf(table)} by name select * from (${select}) s${large.length === 0 ? '' : ` where not coalesce(${archived}, false)`}`,
      );
  }

  /** Parts are of one day: whole files go, once that is committed. */
  async removeBefore(name: string, day: string): Promise<void> {
    const table = this.tables.get(name) as StoredTable;
    const isBefore = (column: string) => `${quote(column)} < cast(${text(day)} as date)`;
    await this.statements.run(`delete from store.${rowsOf(table)} where ${isBefore(table.archivedBy as string)}`);
    const parts = await this.statements.rows<{ file: string }>(`select file from ${PARTS} where table_name = ${text(name)} and ${isBefore('day')}`);
    if (parts.length === 0) return;
    await this.statements.run(`delete from ${PARTS} where table_name = ${text(name)} and ${isBefore('day')}`);
    for (const { file } of parts) this.removing.push(join(this.options.directory, file));
    await this.load();
    await this.defineView(table);
  }

  /** Files of parts that are removed. One that cannot be removed does no harm: it goes when the database is opened next. */
  async removeFiles(files: readonly string[]): Promise<void> {
    for (const file of files) {
      await rm(file, { force: true }).catch(() => undefined);
      // The folder of its batch, where it was the last one.
      await rmdir(dirname(file)).catch(() => undefined);
    }
  }

  /**
   * Writes a day, as of the batch that `reader` is set to, to a file as its parts have it, without a detour by the table's own types;
   * where one part has all of it, the file is a copy. False where no part has rows of the day, or one lacks a column that the table
   * has gained.
   */
  async copyDay(reader: Statements, name: string, day: string, path: string): Promise<boolean> {
    const table = this.tables.get(name);
    if (table === undefined) return false;
    const isDay = `= cast(${text(day)} as date) and since_batch <= as_of()`;
    const parts = await reader.rows<{ file: string; columns: string }>(
      `select file, columns from ${PARTS} where table_name = '${name}' and day ${isDay} order by since_batch, file`,
    );
    if (parts.length === 0 || parts.some(({ columns }) => columns !== columnsOf(table))) return false;
    const others = `from store.${rowsOf(table)} where ${quote(table.archivedBy as string)} ${isDay}`;
    const files = parts.map(({ file }) => join(this.options.directory, file));
    if ((await reader.rows(`select 1 as other ${others} limit 1`)).length > 0) {
      const rest = `${path}.rest`;
      await reader.run(`copy (select ${asArchived(table)} ${others}) to ${text(rest)} (${PARQUET})`);
      files.push(rest);
    }
    const [only] = files;
    await attempt(path, async () => {
      // Blocks are shared where the file system can share what nobody can change for both; a link could not promise that.
      if (files.length === 1) await copyFile(only as string, path, constants.COPYFILE_FICLONE);
      else await joinParquetFiles(files, path);
      await rm(`${path}.rest`, { force: true });
    });
    return true;
  }

  /** After a commit. Gives the files that are no part of a table any more: they have to stay as long as somebody may read them. */
  settle(): readonly string[] {
    this.uncommitted = [];
    const removed = this.removing;
    this.removing = [];
    return removed;
  }

  /** After a rollback. A file that cannot be removed does no harm: it goes when the database is opened next. */
  async discard(): Promise<void> {
    if (this.uncommitted.length === 0 && this.removing.length === 0) return;
    this.removing = [];
    for (const file of this.uncommitted) await rm(file, { force: true }).catch(() => undefined);
    this.uncommitted = [];
    await this.load();
  }

  /** Removes what a process wrote that ended before its commit. */
  async sweep(): Promise<void> {
    if (!(await hasParts(this.statements))) return;
    const parts = new Set((await partsOf(this.statements)).map(({ file }) => file));
    const entries = await readdir(this.options.directory, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && !parts.has(partName(relative(this.options.directory, path)))) await rm(path, { force: true }).catch(() => undefined);
    }
  }

  private async writePart(table: StoredTable, select: string, { day, since_batch, rows }: { day: string; since_batch: bigint; rows: bigint }): Promise<void> {
    const dayColumn = table.archivedBy as string;
    const file = `${table.name}/${since_batch}/${day}-${this.uncommitted.length}.parquet`;
    const path = join(this.options.directory, file);
    await attempt(path, () => mkdir(dirname(path), { recursive: true }));
    this.uncommitted.push(path);
    await this.statements.run(
      `copy (select ${asArchived(table)} from (${select}) s where ${quote(dayColumn)} = cast('${day}' as date) and since_batch = ${since_batch}) to ${text(path)} (${PARQUET})`,
    );
    // The batch is on disk once DuckDB has committed it, and so must be what it is made of: the file, and the names that lead to it.
    await attempt(path, async () => {
      await sync(path, 'r+');
      for (let folder = dirname(path); folder.length >= this.options.directory.length; folder = dirname(folder)) await sync(folder, 'r');
    });
    await this.statements.run(
      `insert into ${PARTS} values ('${table.name}', '${file}', cast('${day}' as date), ${since_batch}, ${rows}, ${text(columnsOf(table))})`,
    );
    const isFirstOfItsColumns = !this.lists.has(listOf(table.name, columnsOf(table)));
    const list = this.enlist({ table_name: table.name, file, columns: columnsOf(table) });
    await this.statements.run(setLists(new Map([[list, this.lists.get(list) as string[]]])));
    if (isFirstOfItsColumns) await this.defineView(table);
  }

  private async defineView(table: StoredTable): Promise<void> {
    const kinds = new Set((await partsOf(this.statements)).filter((part) => part.table_name === table.name).map((part) => part.columns));
    const sources = [`select ${table.columns.map(({ name }) => quote(name)).join(', ')} from store.${rowsOf(table)}`];
    for (const columns of kinds) sources.push(selectParts(table, columns));
    await this.statements.run(`create or replace view store.${table.name} as ${sources.join(' union all ')}`);
  }

  private enlist({ table_name, file, columns }: Part, lists = this.lists): string {
    const list = listOf(table_name, columns);
    lists.set(list, [...(lists.get(list) ?? []), `${this.options.directory}/${file}`]);
    return list;
  }
}

async function hasParts(statements: Statements): Promise<boolean> {
  const found = await statements.rows("select 1 as found from duckdb_tables() where schema_name = 'store' and table_name = 'archive_parts'");
  return found.length > 0;
}

/** Two of the same state have the same parts; undefined: nothing is archived yet. */
async function stateOf(statements: Statements): Promise<string | undefined> {
  try {
    const [row] = await statements.rows<{ parts: bigint; files: bigint | null }>(
      `select count(*) as parts, cast(bit_xor(hash(table_name, file, columns)) as varchar) as files from ${PARTS}`,
    );
    return `${row?.parts} ${row?.files}`;
  } catch (error) {
    // Most of the time the table is there: it is not looked for before each query.
    if (await hasParts(statements)) throw error;
    return undefined;
  }
}

async function partsOf(statements: Statements): Promise<(Part & EngineRow)[]> {
  return (await hasParts(statements)) ? statements.rows(`select table_name, file, columns from ${PARTS} order by since_batch, file`) : [];
}

function setLists(lists: ReadonlyMap<string, readonly string[]>): string {
  return [...lists].map(([name, files]) => `set variable ${name} = [${files.map(text).join(', ')}]`).join('; ');
}

/** Parts with the same columns: those that the table has gained since are NULL, those that it has lost are left out. */
function selectParts(table: StoredTable, columns: string): string {
  const held = new Set(columns.split('\n'));
  const selected = table.columns.map(({ name, type }) => {
    if (name === 'since_batch') return "cast(split_part(filename, '/', -2) as bigint) as since_batch";
    if (!held.has(`${name} ${type}`)) return `cast(null as ${SQL_TYPES[type]}) as ${quote(name)}`;
    return type === 'key' ? `cast(${quote(name)} as uuid) as ${quote(name)}` : quote(name);
  });
  return `select ${selected.join(', ')} from read_parquet(getvariable('${listOf(table.name, columns)}'), hive_partitioning = false, filename = true)`;
}

/** The variable with the files of a table that have these columns. */
function listOf(table: string, columns: string): string {
  return `archive_${table}_${createHash('sha256').update(columns).digest('hex').slice(0, 12)}`;
}

function rowsOf({ name }: Pick<StoredTable, 'name'>): string {
  return `${name}_rows`;
}

/** Keys are text in a part: it reads alike in every engine. The batch is in the path alone. */
function archivedColumns({ columns }: StoredTable): StoredTable['columns'] {
  return columns.filter(({ name }) => name !== 'since_batch');
}

/** The columns of a part, selected from rows of the table. */
function asArchived(table: StoredTable): string {
  return archivedColumns(table)
    .map(({ name, type }) => (type === 'key' ? `key_text(${quote(name)}) as ${quote(name)}` : quote(name)))
    .join(', ');
}

function columnsOf(table: StoredTable): string {
  return archivedColumns(table)
    .map(({ name, type }) => `${name} ${type}`)
    .join('\n');
}

/** As it stands in the table, whatever the system's separator. */
function partName(path: string): string {
  return path.replaceAll('\\', '/');
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw engineFailure(cause, path);
  }
}

async function sync(path: string, flags: 'r' | 'r+'): Promise<void> {
  // Windows cannot open a folder; it keeps names in its journal.
  if (flags === 'r' && process.platform === 'win32') return;
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
