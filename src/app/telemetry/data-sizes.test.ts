import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readExposition, sumOf } from '../../../test/telemetry/read-exposition.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { dataDirectory } from '../data-directory.ts';
import { watchDataSizes } from './data-sizes.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-data-sizes-'));
afterAll(() => rmSync(folder, { recursive: true }));
const directory = dataDirectory(folder);
const stopping = new AbortController();

it('measures files and folders once a minute at most', async () => {
  const metrics = new Metrics();
  let now = 0;
  watchDataSizes({ metrics, directory, reads: undefined, stopping, nowSeconds: () => now });
  const sizes = async () => {
    const shown = readExposition((await metrics.expose('prometheus')).text);
    return ['database', 'wal', 'archive', 'lake'].map((part) => sumOf(shown, 'advertisex_data_bytes', { part }));
  };
  writeFileSync(directory.database, 'abc');
  mkdirSync(join(directory.archive, 'impressions/a'), { recursive: true });
  writeFileSync(join(directory.archive, 'impressions/a/1.parquet'), Buffer.alloc(1_000));
  writeFileSync(join(directory.archive, 'impressions/2.parquet'), Buffer.alloc(20));
  expect(await sizes()).toEqual([3, 0, 1_020, 0]);
  writeFileSync(`${directory.database}.wal`, 'abcd');
  now = 59;
  expect(await sizes()).toEqual([3, 0, 1_020, 0]);
  now = 60;
  expect(await sizes()).toEqual([3, 4, 1_020, 0]);
});

it.each([
  ['does not answer', () => new Promise<never>(() => undefined)],
  ['fails', () => Promise.reject(new Error('closed'))],
])('shows all else where the engine %s', async (_name, read) => {
  const metrics = new Metrics();
  watchDataSizes({ metrics, directory, reads: { read }, stopping, nowSeconds: () => 0 });
  for (let scrape = 0; scrape < 2; scrape++) {
    const shown = readExposition((await metrics.expose('prometheus')).text);
    expect(shown.get('advertisex_engine_memory_bytes')?.samples).toEqual([]);
    expect(sumOf(shown, 'advertisex_disk_free_bytes')).toBeGreaterThan(0);
  }
});
