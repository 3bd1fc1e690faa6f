import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { joinParquetFiles } from './join-parquet-files.ts';

let folder: string;
let duckdb: Awaited<ReturnType<DuckDBInstance['connect']>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-join-'));
  duckdb = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(() => {
  duckdb.closeSync();
  rmSync(folder, { recursive: true });
});

const file = (name: string) => join(folder, `${name}.parquet`);

/** Every type that the lake has, dictionaries and their Bloom filters, nulls, and more row groups than a short list holds. */
async function write(name: string, from: number, to: number): Promise<string> {
  await duckdb.run(
    `copy (select 'u' || range % 50 as user_id, md5(range::varchar) as id, range as position, case when range % 3 = 0 then null else range % 2 = 0 end as won,
       range / 7 as share, date '2026-03-01' + (range % 3)::int as day, make_timestamp(range * 1000001) as time, (range::varchar)::blob as raw
     from range(${from}, ${to})) to '${file(name)}' (format parquet, compression zstd, row_group_size 2048)`,
  );
  return file(name);
}

async function rows(sql: string): Promise<unknown[]> {
  return (await duckdb.runAndReadAll(sql)).getRowObjectsJson();
}

it('has all rows, and can be read by other readers', async () => {
  const parts = [await write('a', 0, 40_000), await write('b', 40_000, 40_001), await write('c', 40_001, 90_000)];
  await joinParquetFiles(parts, file('joined'));
  const both = [`'${file('joined')}'`, `read_parquet([${parts.map((part) => `'${part}'`).join(', ')}])`];
  for (const [one, other] of [both, both.toReversed()]) expect(await rows(`select * from ${one} except all select * from ${other}`)).toEqual([]);
  expect(await rows(`select count(*) as n from '${file('joined')}' where id = md5('77777') and position = 77777 and user_id = 'u27'`)).toEqual([{ n: '1' }]);
  const buffer = await asyncBufferFromFile(file('joined'));
  const metadata = await parquetMetadataAsync(buffer);
  expect(metadata.num_rows).toBe(90_000n);
  expect(metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0)).toBe(90_000);
  const [last] = await parquetReadObjects({
    file: buffer,
    rowStart: 89_999,
    rowEnd: 90_000,
    columns: ['position', 'user_id'],
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
  });
  expect(last).toEqual({ position: 89_999n, user_id: 'u49' });
});

it('can be joined again, and one file is joined to itself', async () => {
  const part = await write('d', 0, 5_000);
  await joinParquetFiles([part], file('alone'));
  await joinParquetFiles([file('alone'), file('alone')], file('twice'));
  expect(await rows(`select count(*) as n, sum(position) as s from '${file('twice')}'`)).toEqual([{ n: '10000', s: String(2 * ((5_000 * 4_999) / 2)) }]);
});

it('refuses files of other columns, and what is no whole Parquet file', async () => {
  const part = await write('e', 0, 100);
  await duckdb.run(`copy (select 1 as other) to '${file('other')}' (format parquet)`);
  await expect(joinParquetFiles([part, file('other')], file('mixed'))).rejects.toThrow('other columns');
  writeFileSync(file('cut'), readFileSync(part));
  truncateSync(file('cut'), 300);
  await expect(joinParquetFiles([part, file('cut')], file('mixed'))).rejects.toThrow('no whole Parquet file');
  writeFileSync(file('empty'), '');
  await expect(joinParquetFiles([file('empty')], file('mixed'))).rejects.toThrow('no whole Parquet file');
  await expect(joinParquetFiles([], file('mixed'))).rejects.toThrow('no file to join');
});
