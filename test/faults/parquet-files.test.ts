import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import type { Feed } from '../../src/domain/feeds.ts';
import { figures } from '../live/small-day-figures.ts';
import { brokenEquations } from './every-table.ts';
import { withInstance } from './open-instance.ts';

/** History in Parquet, as a warehouse exports it: typed, nested, in row groups. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-parquet-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const IMPRESSIONS = (from: number, to: number, website = 'news.example') => `
  select 'i' || i as impression_id, 'cr-' || (i % 5) as creative_id, case when i % 10 = 9 then '' else 'u' || (i % 31) end as user_id,
    timestamp '2026-03-02 10:00:00.123456' + to_microseconds(i * 1000003) as "timestamp", '${website}' as website, 'c' || (i % 3) as campaign_id,
    (i % 7)::decimal(9,4) / 1000 as price, i % 2 = 0 as viewable from range(${from}, ${to}) r(i)`;
const BIDS = `
  select timestamptz '2026-03-02 10:00:00Z' + to_seconds(i) as "timestamp", 'r' || i as request_id,
    {'user_id': 'u' || (i % 31), 'space_id': 's' || (i % 4), 'amount': 1.25::decimal(18,6) + i, 'campaign_id': 'c' || (i % 3), 'won': i % 2 = 0, 'clearing_price': case when i % 2 = 0 then 0.75::decimal(18,6) end} as auction
  from range(400) r(i)`;

let copy: (select: string, path: string, format: string) => Promise<unknown>;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run("set timezone = 'UTC'");
  copy = (select, path, format) => connection.run(`copy (${select}) to '${path}' (${format})`);
  const parquet = 'format parquet, row_group_size 2048, codec zstd';
  await copy(IMPRESSIONS(0, 9_000), at('impressions.parquet'), parquet);
  // The time as the other encodings have to write it.
  await copy(
    `select * replace (strftime("timestamp", '%Y-%m-%dT%H:%M:%S.%f') as "timestamp") from (${IMPRESSIONS(0, 9_000)})`,
    at('impressions.json'),
    'format json',
  );
  await copy(BIDS, at('bids.parquet'), parquet);
  await copy(`select * replace (strftime("timestamp", '%Y-%m-%dT%H:%M:%SZ') as "timestamp") from (${BIDS})`, at('bids.json'), 'format json');
  await copy(IMPRESSIONS(0, 9_000, 'other.example'), at('conflicts.parquet'), parquet);
});

let number = 0;
const take = (instance: Instance, feed: Feed, ...names: string[]) => ingestFiles(instance, [{ feed, paths: names.map(at) }]);
const fresh = <T>(work: (instance: Instance) => Promise<T>, batchRecords = 1_000_000) => withInstance(at(`data-${++number}`), { batchRecords }, work);

describe('Parquet files', () => {
  it('give the tables that the same records give as JSON, in batches of any size', async () => {
    const json = await fresh(async (instance) => {
      await take(instance, 'ad-impressions', 'impressions.json');
      await take(instance, 'bid-requests', 'bids.json');
      return figures(instance);
    });
    for (const batchRecords of [1_000_000, 1_000]) {
      await fresh(async (instance) => {
        const { files } = await take(instance, 'ad-impressions', 'impressions.parquet');
        expect(files[0]).toMatchObject({ complete: true, done: true, outcomes: { received: 9_000, accepted: 8_100, quarantined: 900 } });
        await take(instance, 'bid-requests', 'bids.parquet');
        const { quarantine: _, ...rest } = await figures(instance);
        const { quarantine: __, ...wanted } = json;
        expect(rest).toEqual(wanted);
        expect(await brokenEquations(instance)).toEqual([]);
        expect(await instance.engine.rows('select encoding from ops.files')).toEqual([{ encoding: 'parquet' }, { encoding: 'parquet' }]);
        // A refused row is kept as the JSON record that it became: replay decodes that.
        const [kept] = await instance.engine.rows<{ raw: Uint8Array; encoding: string }>('select raw from ops.quarantine limit 1');
        expect(JSON.parse(Buffer.from(kept?.raw as Uint8Array).toString())).toMatchObject({ website: 'news.example', user_id: '' });
      }, batchRecords);
    }
  });

  it('are known by their first bytes, whatever their name', async () => {
    writeFileSync(at('export.dat'), readFileSync(at('bids.parquet')));
    await fresh(async (instance) => {
      expect((await take(instance, 'bid-requests', 'export.dat')).outcomes).toMatchObject({ received: 400, accepted: 400 });
      renameSync(at('export.dat'), at('again.parquet'));
      expect((await take(instance, 'bid-requests', 'again.parquet')).files[0]).toMatchObject({ state: 'known' });
    });
  });

  it('have the bytes of conflicting rows read again', async () => {
    await fresh(async (instance) => {
      await take(instance, 'ad-impressions', 'impressions.parquet');
      const { outcomes } = await take(instance, 'ad-impressions', 'conflicts.parquet');
      expect(outcomes).toMatchObject({ received: 9_000, quarantined: 9_000 });
      const rows = await instance.engine.rows<{ position: bigint; raw: Uint8Array }>("select position, raw from ops.quarantine where code = 'id_conflict'");
      expect(rows.length).toBe(8_100);
      const wrong = rows.filter(({ position, raw }) => !Buffer.from(raw).toString().includes(`"impression_id":"i${position}","creative_id"`));
      expect(wrong).toEqual([]);
    });
  });

  it('that are damaged are taken up to there, with one malformed record, and are not complete', async () => {
    const bytes = readFileSync(at('impressions.parquet'));
    const middle = Math.floor(bytes.length / 2);
    // Behind the first row groups, before what says nothing of rows.
    bytes.fill(0xff, Math.floor(bytes.length * 0.4), Math.floor(bytes.length * 0.4) + 2_000);
    writeFileSync(at('damaged.parquet'), bytes);
    writeFileSync(at('cut.parquet'), bytes.subarray(0, middle));
    await fresh(async (instance) => {
      const { files } = await take(instance, 'ad-impressions', 'damaged.parquet', 'cut.parquet');
      const [cut, damaged] = files;
      expect(cut).toMatchObject({ complete: false, done: true, outcomes: { received: 1, quarantined: 1 } });
      expect(damaged?.complete).toBe(false);
      expect(damaged?.outcomes.received).toBeGreaterThan(2_000);
      const malformed = await instance.engine.rows<{ message: string }>("select message from ops.quarantine where code = 'malformed' order by source");
      expect(malformed.map(({ message }) => message)).toEqual([expect.stringMatching(/footer/), expect.stringMatching(/at row \d+/)]);
    });
  });
});
