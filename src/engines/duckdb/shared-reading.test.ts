import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineValue, ReadStatement, StoredTable } from '../engine.ts';
import { DuckDbEngine } from './duckdb-engine.ts';

/** The engine that owns the tables reads its own files and writes; what others send to it reads tables, and nothing else. */
const BIDS: StoredTable = {
  name: 'bids',
  archivedBy: 'day',
  columns: [
    { name: 'day', type: 'date' },
    { name: 'amount', type: 'bigint' },
    { name: 'since_batch', type: 'bigint' },
  ],
};
const NEVER = new AbortController().signal;
const data = mkdtempSync(join(tmpdir(), 'advertisex-shared-'));
const staging = join(data, 'staging');
let engine: DuckDbEngine;

async function open(): Promise<DuckDbEngine> {
  const opened = await DuckDbEngine.open({
    path: join(data, 'bids.duckdb'),
    access: 'write',
    memory: '300MB',
    threads: 2,
    spillDirectory: join(data, 'spill'),
    archive: { directory: join(data, 'archive'), tables: [BIDS], fromRows: 3 },
    directories: [staging],
  });
  await opened.defineMacros({ click_window_us: 7n });
  await opened.ensureTables([BIDS]);
  return opened;
}

const rowsOf = (batch: number, count: number): string =>
  `select cast('2026-01-01' as date) as day, range as amount, cast(${batch} as bigint) as since_batch from range(${count})`;

async function read(sql: string, given: Partial<ReadStatement> = {}, signal: AbortSignal = NEVER): Promise<EngineValue[][]> {
  const result = await engine.read({ sql, parameters: {}, asOf: null, values: 'engine', ...given }, signal);
  try {
    const rows: EngineValue[][] = [];
    for (let some = await result.next(); some !== undefined; some = await result.next()) for (const row of some) rows.push([...row]);
    return rows;
  } finally {
    result.close();
  }
}

beforeAll(async () => {
  mkdirSync(staging, { recursive: true });
  for (const folder of [data, staging]) writeFileSync(join(folder, 'secret.csv'), 'secret\n1\n');
  engine = await open();
  await engine.transaction(() => engine.append('store.bids', rowsOf(1, 5)));
  await engine.transaction(() => engine.append('store.bids', rowsOf(2, 2)));
});
afterAll(async () => {
  await engine.close();
  rmSync(data, { recursive: true });
});

describe('the owner of the tables', () => {
  it('can itself open files of its own folders, and no others', async () => {
    expect(await engine.rows(`select * from read_csv('${staging}/secret.csv')`)).toEqual([{ secret: 1n }]);
    for (const path of [`${data}/secret.csv`, `${staging}/../secret.csv`, '/etc/passwd']) {
      await expect(engine.rows(`select * from read_text('${path}')`), path).rejects.toThrow(/disabled by configuration/);
    }
    await expect(engine.run('set threads = 7')).rejects.toThrow(/locked/);
  });

  it('sorts what does not fit into its memory', async () => {
    const sorted =
      'select count(*) as rows from (select md5(range::varchar) as a, md5((range + 1)::varchar) as b from range(4_000_000) order by a, b) where a < b';
    expect(Number((await engine.rows(sorted))[0]?.rows)).toBeGreaterThan(1_000_000);
  });
});

describe('what others may read', () => {
  it.each([
    ['select count(*) from store.bids', 7n],
    ['select count(*) from store.bids where since_batch <= as_of()', 7n],
    ['select click_window_us() from range(1)', 7n],
    ['with recursive n(i) as (select 1 union all select i + 1 from n where i < 7) select max(i)::bigint from n', 7n],
    ['from (values (7::bigint)) v(a)', 7n],
    ['select sum(i)::bigint from generate_series(3, 4) t(i)', 7n],
    ['select count(*) from (select unnest([1,2,3,4,5,6,7]) as a)', 7n],
    ["select count(*) from json_each('[1,2,3,4,5,6,7]')", 7n],
    ["select 7::bigint from duckdb_columns() where table_name = 'bids' limit 1", 7n],
    ['select 7::bigint from information_schema.tables limit 1', 7n],
    ['pivot (select 1 as a, amount from store.bids) on a in (1) using count(amount)', 7n],
    [';select 7::bigint;', 7n],
    ['/* a */ select 7::bigint -- b', 7n],
  ])('%s', async (sql, value) => expect(await read(sql)).toEqual([[value]]));

  it.each([
    'show all tables',
    'describe store.bids',
    'summarize store.bids',
    'explain select 1',
    'explain analyze select 1',
    'explain (analyze, format json) select 1',
    'table store.bids',
  ])('%s', async (sql) => expect((await read(sql)).length).toBeGreaterThan(0));

  it('takes parameters, whatever is in them', async () => {
    expect(
      await read('select $a::varchar, $b::bigint, $c::blob, $d::boolean', {
        parameters: { a: "'; drop table", b: 2n ** 60n, c: new Uint8Array([0, 255]), d: null },
      }),
    ).toEqual([["'; drop table", 2n ** 60n, Buffer.from([0, 255]), null]]);
  });
});

describe('what others may not do', () => {
  const file = `${staging}/secret.csv`;
  const copied = `${staging}/copied.csv`;
  it.each([
    // Files, which DuckDB itself would open for the engine.
    `select * from read_csv('${file}')`,
    `select * from "READ_CSV_AUTO"('${file}')`,
    `select * from system.main.read_text('${file}')`,
    `select * from read_blob('${file}')`,
    `select * from glob('${staging}/*')`,
    `select * from sniff_csv('${file}')`,
    `select * from parquet_metadata('${file}')`,
    "select * from read_parquet(getvariable('archive_bids'))",
    `from '${file}'`,
    `select * from "${file}"`,
    `describe '${file}'`,
    `summarize '${file}'`,
    `explain select * from '${file}'`,
    `explain analyze select * from read_csv('${file}')`,
    `--\rexplain select * from read_csv('${file}') as\nexplain from store.bids`,
    `select (select count(*) from read_csv('${file}'))`,
    `select * from store.bids where exists (from '${file}')`,
    `with a as (from read_csv('${file}')) select 1`,
    `with a as materialized (from '${file}') from a`,
    `select * from store.bids b, lateral (from read_csv('${file}'))`,
    `pivot (from read_csv('${file}')) on secret in (1) using count(*)`,
    `select 1 order by (select count(*) from read_csv('${file}'))`,
    `select list_transform([1], lambda x: (select count(*) from read_csv('${file}')))`,
    // A text that is run as a statement.
    `select * from query('from read_csv(''${file}'')')`,
    "select * from query_table(['store.bids'])",
    `select * from json_execute_serialized_sql('{}')`,
    `pragma json_execute_serialized_sql('{}')`,
    // Writing.
    'insert into store.bids values (null, 1, 1)',
    'explain analyze insert into store.bids_rows values (null, 1, 1)',
    'explain (analyze) delete from store.bids_rows',
    'create table t (a integer)',
    'create temp table t as select 1',
    'drop table store.bids_rows',
    `copy store.bids to '${copied}'`,
    `explain analyze copy (select 1) to '${copied}'`,
    `copy (select 1) to '${copied}'`,
    `export database '${staging}/all'`,
    `attach '${staging}/other.duckdb'`,
    'checkpoint',
    'begin',
    'rollback',
    'commit',
    'select 1; drop table store.bids_rows',
    'rollback; drop table store.bids_rows; select 1',
    "select nextval('a')",
    // The engine and its settings.
    'set threads = 7',
    'set variable as_of = 1',
    'reset threads',
    'pragma threads = 7',
    'pragma enable_verification',
    "call enable_logging(storage := 'file')",
    'select * from enable_logging()',
    'select * from force_checkpoint()',
    'select * from checkpoint()',
    'select * from enable_peg_parser()',
    'select * from arrow_scan(1, 2, 3)',
    'select * from duckdb_secrets()',
    'select * from duckdb_logs()',
    "select * from histogram('store.bids', amount)",
    "select write_log('a')",
    "load 'httpfs'",
    'install httpfs',
    'use memory',
    'prepare a as select 1',
    'execute a',
    'vacuum',
    'kill 1',
    '',
    '--',
    'explain',
    '(((',
    `${'('.repeat(20_000)}select 1${')'.repeat(20_000)}`,
    'select $missing',
  ])('%s', async (sql) => {
    await expect(read(sql)).rejects.toMatchObject({ code: 'query_invalid' });
    expect(readdirSync(staging)).toEqual(['secret.csv']);
    expect(existsSync(copied)).toBe(false);
    expect(await read('select count(*) from store.bids')).toEqual([[7n]]);
  });
});

describe('a statement', () => {
  it('sees no batch in part, at whatever moment of it it comes', async () => {
    let done = false;
    const reading = (async () => {
      const seen: string[] = [];
      while (!done) {
        // Some of a batch goes to the archive, some to the database.
        const [row] = await read(
          "select count(*) filter (day = '2026-02-01') as few, count(*) filter (day = '2026-02-02') as many from store.bids where since_batch > 2",
        );
        seen.push(`${Number(row?.[0]) * 4} ${row?.[1]}`);
      }
      return seen;
    })();
    for (let batch = 3; batch < 23; batch++) {
      const rows = `select cast(case when range < 1 then '2026-02-01' else '2026-02-02' end as date) as day, range as amount, cast(${batch} as bigint) as since_batch from range(5)`;
      await engine.transaction(() => engine.append('store.bids', rows));
    }
    done = true;
    const seen = await reading;
    expect(seen.length).toBeGreaterThan(3);
    for (const pair of seen) expect(pair.split(' ')[0]).toBe(pair.split(' ')[1]);
  });

  it('keeps the state of the tables that it began with, while batches are committed and the tables are put in order', async () => {
    const before = (await read('select count(*) from store.bids'))[0]?.[0];
    const result = await engine.read(
      { sql: 'select amount from store.bids, range(200_000) order by all', parameters: {}, asOf: null, values: 'engine' },
      NEVER,
    );
    await engine.transaction(() => engine.append('store.bids', rowsOf(50, 4)));
    await engine.settle('none');
    let rows = 0;
    for (let some = await result.next(); some !== undefined; some = await result.next()) rows += some.length;
    result.close();
    expect(rows).toBe(Number(before) * 200_000);
    expect((await read('select count(*) from store.bids'))[0]?.[0]).toBe((before as bigint) + 4n);
  });

  it('is let alone by what puts the tables in order, and so is a batch that is under way', async () => {
    const before = (await read('select count(*) from store.bids'))[0]?.[0] as bigint;
    await engine.transaction(async () => {
      await engine.append('store.bids', rowsOf(60, 2));
      await engine.settle('none');
      await engine.append('store.bids', rowsOf(60, 2));
      await engine.settle('some');
      expect((await read('select count(*) from store.bids'))[0]?.[0]).toBe(before);
    });
    expect((await read('select count(*) from store.bids'))[0]?.[0]).toBe(before + 4n);
  });

  it('finds small pieces of a table put together, some at a time, and the settings as they were', async () => {
    const pieces = async () => Number((await engine.rows("select count(distinct row_group_id) as n from pragma_storage_info('store.bids_rows')"))[0]?.['n']);
    for (let round = 0; round < 20; round++) {
      await engine.transaction(() => engine.append('store.bids', rowsOf(70 + round, 2)));
      await engine.settle('none');
    }
    expect(await pieces()).toBeGreaterThan(20);
    // Tables that have nothing new are left alone.
    await engine.transaction(() => engine.append('store.bids', rowsOf(90, 2)));
    await engine.settle('some');
    expect(await pieces()).toBeLessThan(4);
    expect(await read("select value from duckdb_settings() where name = 'max_vacuum_tasks'")).toEqual([['1']]);
    await expect(engine.run('set threads = 2')).rejects.toThrow('locked');
  });

  it('is asked for the same text again and again, and what was refused once is refused again', async () => {
    for (let time = 0; time < 3; time++) {
      expect(await read('select 1 as one')).toEqual([[1]]);
      await expect(read('drop table store.bids')).rejects.toMatchObject({ code: 'query_invalid' });
      await expect(read('select * from read_csv($file)', { parameters: { file: join(data, 'secret.csv') } })).rejects.toMatchObject({ code: 'query_invalid' });
    }
    expect(engine.reading).toBe(0);
  });

  it('stops where its signal says so: before it begins, while it works, between two chunks', async () => {
    const slow = 'select count(*) from range(1_000_000_000) a, range(1_000_000) b';
    await expect(read(slow, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'interrupted' });
    await expect(read(slow, {}, AbortSignal.timeout(30))).rejects.toMatchObject({ code: 'interrupted' });
    const stop = new AbortController();
    const result = await engine.read({ sql: 'select * from range(100_000_000)', parameters: {}, asOf: null, values: 'engine' }, stop.signal);
    expect(await result.next()).toHaveLength(2_048);
    stop.abort();
    await expect(result.next()).rejects.toMatchObject({ code: 'interrupted' });
    result.close();
  });
});
