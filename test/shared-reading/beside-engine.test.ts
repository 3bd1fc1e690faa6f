import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { reconcile } from '../../src/app/recon.ts';
import { BesideEngine } from '../../src/engines/remote/beside-engine.ts';
import { withInstance } from '../faults/open-instance.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-read-beside-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('sees what is committed, while a batch is half done', async () => {
  await withInstance(join(folder, 'committed'), {}, async (instance) => {
    const { engine, reads } = instance;
    if (reads === undefined) throw new Error('It is open to write');
    const beside = new BesideEngine(reads, new AbortController());
    const count = "select count(*) as n, $of as of from store.settings where name = 'half'";
    await engine.transaction(async () => {
      await engine.run("insert into store.settings (name, value) values ('half', 'done')");
      expect(await beside.rows(count, { of: 'rows' })).toEqual([{ n: 0n, of: 'rows' }]);
      expect((await reconcile({ ...instance, engine: beside })).every(({ holds }) => holds)).toBe(true);
    });
    expect(await beside.rows(count, { of: 'rows' })).toEqual([{ n: 1n, of: 'rows' }]);
    const { columns, rows } = await beside.query('select 1::bigint as one union all select 2 order by one');
    expect(columns.map(({ name }) => name)).toEqual(['one']);
    const all: unknown[] = [];
    for await (const row of rows) all.push(...row);
    expect(all.map(String)).toEqual(['1', '2']);
  });
});

it('writes nothing, and stops once it is told to', async () => {
  await withInstance(join(folder, 'stopped'), {}, async ({ reads }) => {
    if (reads === undefined) throw new Error('It is open to write');
    const stopping = new AbortController();
    const beside = new BesideEngine(reads, stopping);
    await expect(beside.rows("insert into store.settings (name, value) values ('a', 'b')")).rejects.toMatchObject({ code: 'query_invalid' });
    await expect(beside.withReader(1, (reader) => reader.copyToParquet('select 1', join(folder, 'x.parquet')))).rejects.toMatchObject({ code: 'data_locked' });
    const slow = beside.rows('select sum(sqrt(a.range * b.range)) as s from range(1_000_000) a, range(1_000_000) b');
    setTimeout(() => stopping.abort(), 50);
    await expect(slow).rejects.toMatchObject({ code: 'interrupted' });
    await expect(beside.rows('select 1 as one')).rejects.toMatchObject({ code: 'interrupted' });
  });
});
