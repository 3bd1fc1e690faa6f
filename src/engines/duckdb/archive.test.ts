import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readFooter } from '../../lake/parquet-footer.ts';
import type { StoredTable } from '../engine.ts';
import { DuckDbEngine, type DuckDbOptions } from './duckdb-engine.ts';

const BIDS: StoredTable = {
  name: 'bids',
  archivedBy: 'day',
  columns: [
    { name: 'bid_key', type: 'key' },
    { name: 'day', type: 'date' },
    { name: 'amount', type: 'bigint' },
    { name: 'batch_id', type: 'bigint' },
    { name: 'since_batch', type: 'bigint' },
  ],
};
const CLICKS: StoredTable = { name: 'clicks', columns: [{ name: 'amount', type: 'bigint' }] };

const folder = mkdtempSync(join(tmpdir(), 'advertisex-archive-'));
let directories = 0;
const newData = (): string => {
  const data = join(folder, `data ${directories++} isn't plain/amount=7`);
  mkdirSync(data, { recursive: true });
  return data;
};
afterAll(() => rmSync(folder, { recursive: true }));

async function open(data: string, given: { access?: DuckDbOptions['access']; table?: StoredTable; archived?: boolean } = {}): Promise<DuckDbEngine> {
  const tables = [given.table ?? BIDS, CLICKS];
  const engine = await DuckDbEngine.open({
    path: join(data, 'bids.duckdb'),
    access: given.access ?? 'write',
    memory: '200MB',
    threads: 1,
    spillDirectory: join(data, 'spill'),
    ...(given.archived === false ? {} : { archive: { directory: join(data, 'archive'), tables, fromRows: 3 } }),
  });
  if (given.access !== 'read') {
    await engine.defineMacros({});
    await engine.ensureTables(tables);
  }
  return engine;
}

/** `count` rows of a day, with amounts from `first` on. */
const rowsOf = (batch: number, day: string, count: number, first = 0): string =>
  `select cast(md5(cast(range as varchar)) as uuid) as bid_key, cast('${day}' as date) as day, range as amount, cast(${batch} as bigint) as batch_id, cast(${batch} as bigint) as since_batch from range(${first}, ${first + count})`;

async function append(engine: DuckDbEngine, ...selects: string[]): Promise<void> {
  await engine.transaction(() => engine.append('store.bids', selects.join(' union all ')));
}

const read = (engine: DuckDbEngine, sql = 'select cast(day as varchar) as day, amount from store.bids order by day, amount') =>
  engine.rows(sql).then((rows) => rows.map((row) => Object.values(row).map(String).join(' ')));

const copyDay = (engine: DuckDbEngine, table: string, day: string, path: string, asOf = Number.MAX_SAFE_INTEGER): Promise<boolean> =>
  engine.withReader(asOf, (reader) => reader.copyArchivedDay(table, day, path));

const files = (data: string): string[] =>
  readdirSync(join(data, 'archive'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(data, 'archive'), join(entry.parentPath, entry.name)))
    .sort();

describe('an archived table', () => {
  it('keeps what a batch adds to a day in a part if it is much, in the database if it is little, and shows both', async () => {
    const data = newData();
    const engine = await open(data);
    await append(engine, rowsOf(1, '2026-01-01', 3), rowsOf(1, '2026-01-02', 2));
    await append(engine, rowsOf(2, '2026-01-02', 4, 10));
    expect(files(data)).toEqual(['bids/1/2026-01-01-0.parquet', 'bids/2/2026-01-02-0.parquet']);
    expect(await read(engine)).toEqual([
      ...[0, 1, 2].map((amount) => `2026-01-01 ${amount}`),
      ...[0, 1, 10, 11, 12, 13].map((amount) => `2026-01-02 ${amount}`),
    ]);
    expect(await read(engine, 'select amount, batch_id, since_batch, typeof(bid_key), bid_key from store.bids where since_batch = 2 and amount = 10')).toEqual([
      '10 2 2 UUID d3d94468-02a4-4259-755d-38e6d163e820',
    ]);
    await engine.close();
  });

  it('leaves other tables alone', async () => {
    const data = newData();
    const engine = await open(data);
    await engine.append('store.clicks', 'select cast(range as bigint) as amount from range(100)');
    expect(await read(engine, 'select count(*) from store.clicks')).toEqual(['100']);
    expect(existsSync(join(data, 'archive'))).toBe(false);
    await engine.close();
  });

  it('shows a batch to its own models before it is committed, and nothing of it after it failed', async () => {
    const data = newData();
    const engine = await open(data);
    await append(engine, rowsOf(1, '2026-01-01', 3));
    const failed = engine.transaction(async () => {
      await engine.append('store.bids', rowsOf(2, '2026-01-01', 5, 10));
      expect(await read(engine, 'select count(*) from store.bids where since_batch = 2')).toEqual(['5']);
      throw new Error('no more');
    });
    await expect(failed).rejects.toThrow('no more');
    expect(await read(engine)).toEqual(['2026-01-01 0', '2026-01-01 1', '2026-01-01 2']);
    expect(files(data)).toEqual(['bids/1/2026-01-01-0.parquet']);
    await engine.close();
  });

  it('never reads what a process left that died before its commit, and removes it when it is opened next', async () => {
    const data = newData();
    let engine = await open(data);
    await append(engine, rowsOf(1, '2026-01-01', 3));
    await engine.run('begin transaction');
    await engine.append('store.bids', rowsOf(2, '2026-01-01', 5, 10));
    await engine.close(); // Without commit, and without a word to the archive: what a kill leaves.
    expect(files(data)).toHaveLength(2);
    writeFileSync(join(data, 'archive/bids/stray.parquet'), 'no Parquet');
    engine = await open(data, { access: 'read' });
    expect(await read(engine, 'select count(*) from store.bids')).toEqual(['3']);
    await engine.close();
    engine = await open(data);
    expect(files(data)).toEqual(['bids/1/2026-01-01-0.parquet']);
    await append(engine, rowsOf(2, '2026-01-01', 4, 20));
    expect(await read(engine, 'select max(amount) from store.bids')).toEqual(['23']);
    await engine.close();
  });

  it('can be read where its directory was moved to, by queries that can open no other file', async () => {
    const data = newData();
    const writer = await open(data);
    await append(writer, rowsOf(1, '2026-01-01', 3));
    await writer.close();
    const moved = `${data} moved`;
    renameSync(data, moved);
    const secret = join(folder, 'secret.csv');
    writeFileSync(secret, 'a\n1\n');
    const reader = await open(moved, { access: 'read' });
    const rows = async (sql: string) => {
      const found: unknown[] = [];
      for await (const row of (await reader.query(sql)).rows) found.push(...row);
      return found;
    };
    expect(await rows('select count(*) from store.bids')).toEqual([3n]);
    for (const path of [secret, `${moved}/archive/../bids.duckdb`, '/etc/passwd']) {
      await expect(rows(`select * from read_text('${path.replaceAll("'", "''")}')`)).rejects.toMatchObject({ code: 'query_invalid' });
    }
    await reader.close();
  });

  it('gains columns: what was archived before has NULL there', async () => {
    const data = newData();
    let engine = await open(data);
    await append(engine, rowsOf(1, '2026-01-01', 3));
    await engine.close();
    const wider: StoredTable = { ...BIDS, columns: [...BIDS.columns, { name: 'space', type: 'varchar' }] };
    engine = await open(data, { table: wider });
    await append(engine, `select *, 'top' as space from (${rowsOf(2, '2026-01-01', 3)}) s`);
    expect(await read(engine, "select coalesce(space, 'NULL') as space, count(*) as bids from store.bids group by space order by 1")).toEqual([
      'NULL 3',
      'top 3',
    ]);
    await engine.close();
  });

  it('of another kind gains columns, too, and its rows what they are made of', async () => {
    const data = newData();
    let engine = await open(data);
    await engine.append('store.clicks', 'select cast(range as bigint) as amount from range(3)');
    await engine.close();
    engine = await DuckDbEngine.open({ path: join(data, 'bids.duckdb'), access: 'write', memory: '200MB', threads: 1, spillDirectory: join(data, 'spill') });
    await engine.ensureTables([{ ...CLICKS, columns: [...CLICKS.columns, { name: 'twice', type: 'bigint', from: '2 * amount' }] }]);
    expect(await read(engine, 'select amount, twice from store.clicks order by amount')).toEqual(['0 0', '1 2', '2 4']);
    await engine.close();
  });

  it('takes over the rows of a table that was not archived before', async () => {
    const data = newData();
    let engine = await open(data, { archived: false });
    await append(engine, rowsOf(1, '2026-01-01', 5));
    expect(existsSync(join(data, 'archive'))).toBe(false);
    await engine.close();
    engine = await open(data);
    await append(engine, rowsOf(2, '2026-01-01', 5));
    expect(await read(engine, 'select since_batch, count(*) as bids from store.bids group by since_batch order by 1')).toEqual(['1 5', '2 5']);
    await engine.close();
  });
});

describe('days that are removed from an archived table', () => {
  const days = ['2026-01-01', '2026-01-02', '2026-01-03'];
  const opened = async () => {
    const data = newData();
    const engine = await open(data);
    await append(engine, ...days.map((day) => rowsOf(1, day, 3)));
    await append(engine, rowsOf(2, '2026-01-01', 1, 10), rowsOf(2, '2026-01-03', 1, 10));
    return { data, engine };
  };

  it('go from parts and from the database, with their files', async () => {
    const { data, engine } = await opened();
    await engine.transaction(() => engine.removeBefore('store.bids', 'day', '2026-01-03'));
    const rest = ['2026-01-03 0', '2026-01-03 1', '2026-01-03 10', '2026-01-03 2'];
    expect((await read(engine)).sort()).toEqual(rest);
    expect(files(data)).toEqual(['bids/1/2026-01-03-2.parquet']);
    await engine.transaction(() => engine.removeBefore('store.bids', 'day', '2026-01-04'));
    expect([await read(engine), files(data)]).toEqual([[], []]);
    await append(engine, rowsOf(3, '2026-01-05', 3));
    expect(await read(engine)).toEqual(['2026-01-05 0', '2026-01-05 1', '2026-01-05 2']);
    await engine.close();
    const again = await open(data, { access: 'read' });
    expect((await read(again)).length).toBe(3);
    await again.close();
  });

  it('are there as before where that is not committed', async () => {
    const { data, engine } = await opened();
    const before = [await read(engine), files(data)];
    const broken = engine.transaction(async () => {
      await engine.removeBefore('store.bids', 'day', '2026-01-03');
      throw new Error('no luck');
    });
    await expect(broken).rejects.toThrow('no luck');
    expect([await read(engine), files(data)]).toEqual(before);
    await append(engine, rowsOf(3, '2026-01-05', 3));
    expect((await read(engine)).length).toBe(14);
    await engine.close();
  });

  it('are read to the end by whoever had begun, and not by whoever begins after it', async () => {
    const { data, engine } = await opened();
    const statement = { sql: 'select count(*) as n from store.bids', parameters: {}, asOf: null, values: 'engine' } as const;
    await engine.withReader(Number.MAX_SAFE_INTEGER, async (reader) => {
      await engine.transaction(() => engine.removeBefore('store.bids', 'day', '2026-01-03'));
      expect(await reader.rows('select count(*) as n from store.bids')).toEqual([{ n: 11n }]);
      const later = await engine.read(statement, new AbortController().signal);
      expect(await later.next()).toEqual([[4n]]);
      later.close();
      expect(files(data).length).toBe(3);
    });
    expect(files(data).length).toBe(1);
    await engine.close();
  });

  it('leave nothing behind where the process ends before their files are removed', async () => {
    const { data, engine } = await opened();
    await engine.withReader(Number.MAX_SAFE_INTEGER, async () => {
      await engine.transaction(() => engine.removeBefore('store.bids', 'day', '2026-01-03'));
      cpSync(data, `${data} killed`, { recursive: true });
    });
    await engine.close();
    const again = await open(`${data} killed`);
    expect((await read(again)).length).toBe(4);
    expect(files(`${data} killed`).length).toBe(1);
    await again.close();
  });
});

describe('the file of a day', () => {
  const columnsOf = (footer: Awaited<ReturnType<typeof readFooter>>) => footer.columns.map(({ name, type }) => `${name} ${type}`);
  const COLUMNS = ['bid_key varchar', 'day date', 'amount bigint', 'batch_id bigint'];

  it('is a copy of the part that has all of the day', async () => {
    const data = newData();
    const engine = await open(data);
    await append(engine, rowsOf(1, '2026-01-01', 3), rowsOf(1, '2026-01-02', 1));
    const copy = join(data, 'copy.parquet');
    expect(await copyDay(engine, 'bids', '2026-01-01', copy)).toBe(true);
    const part = join(data, 'archive/bids/1/2026-01-01-0.parquet');
    expect(readFileSync(copy).equals(readFileSync(part))).toBe(true);
    expect(statSync(copy).ino).not.toBe(statSync(part).ino);
    expect(columnsOf(await readFooter(copy))).toEqual(COLUMNS);
    await engine.close();
  });

  it('has the rows of several parts, of those in the database, and of no later batch', async () => {
    const data = newData();
    const engine = await open(data);
    await append(engine, rowsOf(1, '2026-01-01', 3));
    await append(engine, rowsOf(2, '2026-01-01', 4, 10));
    await append(engine, rowsOf(3, '2026-01-01', 1, 20));
    await append(engine, rowsOf(4, '2026-01-01', 3, 30));
    const copy = join(data, 'copy.parquet');
    for (const [asOf, amounts] of [
      [2, [0, 1, 2, 10, 11, 12, 13]],
      [3, [0, 1, 2, 10, 11, 12, 13, 20]],
    ] as const) {
      expect(await copyDay(engine, 'bids', '2026-01-01', copy, asOf)).toBe(true);
      expect(columnsOf(await readFooter(copy))).toEqual(COLUMNS);
      const file = `read_parquet('${copy.replaceAll("'", "''")}', hive_partitioning = false)`;
      expect(await read(engine, `select amount from ${file} order by amount`)).toEqual(amounts.map(String));
      const keys = `select replace(cast(bid_key as varchar), '-', '') from store.bids where since_batch <= ${asOf}`;
      expect(await read(engine, `${keys} except select bid_key from ${file}`)).toEqual([]);
    }
    await engine.close();
  });

  it('is what each of several readers asked for, who read side by side as of other batches', async () => {
    const data = newData();
    const engine = await open(data);
    for (const batch of [1, 2, 3]) await append(engine, rowsOf(batch, '2026-01-01', 3, 10 * batch));
    const asOf = [3, 1, 2];
    const copies = asOf.map((batch) => join(data, `as of ${batch}.parquet`));
    expect(await Promise.all(copies.map((copy, index) => copyDay(engine, 'bids', '2026-01-01', copy, asOf[index])))).toEqual([true, true, true]);
    const rows = copies.map((copy) => readFooter(copy).then((footer) => footer.rows));
    expect(await Promise.all(rows)).toEqual([9, 3, 6]);
    expect(await read(engine, 'select as_of() = 9223372036854775807 as latest')).toEqual(['true']);
    await engine.close();
  });

  it('is not written to its end once the engine is interrupted', async () => {
    const data = newData();
    const engine = await open(data);
    const slow = 'select count(*) as rows from range(1_000_000_000) a, range(1_000) b';
    const reading = [1, 2].map((asOf) => engine.withReader(asOf, (reader) => reader.copyToParquet(slow, join(data, `${asOf}.parquet`))));
    const interrupting = setInterval(() => engine.interrupt(), 50);
    for (const result of await Promise.allSettled(reading)) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
    clearInterval(interrupting);
    await engine.close();
  });

  it('is left to a query where no part has the day, or one lacks a column that the table has gained', async () => {
    const data = newData();
    let engine = await open(data);
    await append(engine, rowsOf(1, '2026-01-01', 3), rowsOf(1, '2026-01-02', 1));
    const copy = join(data, 'copy.parquet');
    for (const day of ['2026-01-02', '2026-01-03']) expect(await copyDay(engine, 'bids', day, copy), day).toBe(false);
    expect(await copyDay(engine, 'clicks', '2026-01-01', copy)).toBe(false);
    await engine.close();
    engine = await open(data, { table: { ...BIDS, columns: [...BIDS.columns, { name: 'space', type: 'varchar' }] } });
    expect(await copyDay(engine, 'bids', '2026-01-01', copy)).toBe(false);
    expect(existsSync(copy)).toBe(false);
    await engine.close();
  });
});

describe('a reader', () => {
  it('sees one committed state, parts and rows alike, beside a batch and after it', async () => {
    const engine = await open(newData());
    await append(engine, rowsOf(1, '2026-01-01', 3), rowsOf(1, '2026-01-02', 2));
    const amounts = 'select cast(sum(amount) as bigint) as amount, count(*) as rows from store.bids';
    const committed = [{ amount: 4n, rows: 5n }];
    await engine.withReader(null, async (reader) => {
      const batch = engine.transaction(async () => {
        await engine.append('store.bids', `${rowsOf(2, '2026-01-01', 4, 100)} union all ${rowsOf(2, '2026-01-02', 1, 100)}`);
        expect(await engine.withReader(null, (other) => other.rows(amounts))).toEqual(committed);
      });
      expect(await reader.rows(amounts)).toEqual(committed);
      await batch;
      expect(await reader.rows(amounts)).toEqual(committed);
    });
    expect(await engine.withReader(null, (reader) => reader.rows(amounts))).toEqual([{ amount: 510n, rows: 10n }]);
    await engine.close();
  });

  it('stops what it runs once its signal is aborted, and nothing else', async () => {
    const engine = await open(newData());
    const stopping = new AbortController();
    const slow = 'select count(*) as rows from range(1_000_000_000) a, range(1_000) b';
    const reading = engine.withReader(null, (reader) => reader.rows(slow), stopping.signal);
    const other = engine.withReader(null, (reader) => reader.rows('select count(*) as n from range(10_000_000)'));
    setTimeout(() => stopping.abort(), 200);
    await expect(reading).rejects.toMatchObject({ code: 'interrupted' });
    expect(await other).toEqual([{ n: 10_000_000n }]);
    await engine.close();
  });
});
