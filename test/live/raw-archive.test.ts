import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compactInstance } from '../../src/app/compact.ts';
import type { Instance } from '../../src/app/instance.ts';
import { rebuildFromRaw } from '../../src/app/rebuild-from-raw.ts';
import type { Delivery } from '../../src/collector/collector.ts';
import type { Feed } from '../../src/domain/feeds.ts';
import { REFERENCE_FEEDS } from '../../src/domain/feeds.ts';
import { brokenEquations, readEveryTable } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { filesOf, makeSmallDay } from '../faults/small-day.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { eventually, openSmallLive } from './open-small-live.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-raw-'));
const traffic = join(folder, 'traffic');
beforeAll(async () => void (await makeSmallDay(traffic)));
afterAll(() => rmSync(folder, { recursive: true }));

const ARCHIVED = { settings: { raw_archive: { enabled: true } } };

const lines = (...records: (object | string)[]): Delivery => ({
  feed: 'ad-impressions',
  encoding: 'json',
  delimiter: ',',
  body: Buffer.from(records.map((record) => `${typeof record === 'string' ? record : JSON.stringify(record)}\n`).join('')),
});
const impression = (id: string, more: object = {}) => ({
  impression_id: id,
  creative_id: 'k1',
  user_id: 'u1',
  timestamp: '2026-03-02T10:00:00Z',
  website: 'w.example',
  ...more,
});

/** The small day as senders send it, with bodies that do not decode among it. */
function deliveries(): Delivery[] {
  const json = filesOf(traffic, 'ad-impressions').flatMap((path) => {
    const texts = readFileSync(path, 'latin1').split(/(?<=\n)/);
    return Array.from({ length: Math.ceil(texts.length / 9) }, (_, index): Delivery => {
      const body = Buffer.from(texts.slice(9 * index, 9 * index + 9).join(''), 'latin1');
      return { feed: 'ad-impressions', encoding: 'json', delimiter: ',', body: [body, gzipSync(body), zstdCompressSync(body)][index % 3] as Buffer };
    });
  });
  const whole = (feed: Feed, encoding: Delivery['encoding'], delimiter = ',') =>
    filesOf(traffic, feed).map((path): Delivery => ({ feed, encoding, delimiter, body: readFileSync(path) }));
  const [bids] = whole('bid-requests', 'avro') as [Delivery];
  const clicks = readFileSync(filesOf(traffic, 'clicks-conversions')[0] as string);
  return [
    ...json,
    lines('not json', impression('after-it'), `{"cut`),
    { ...lines(), body: Buffer.from(`[${JSON.stringify(impression('array'))}, 7, ${JSON.stringify(impression('array-2'))}`) },
    ...whole('bid-requests', 'avro'),
    { ...bids, body: bids.body.subarray(0, bids.body.length - 40) },
    { ...bids, body: Buffer.from('Obj no Avro') },
    ...whole('clicks-conversions', 'csv'),
    { feed: 'clicks-conversions', encoding: 'csv', delimiter: ',', body: clicks.subarray(0, clicks.length - 25) },
    { feed: 'clicks-conversions', encoding: 'csv', delimiter: ',', body: Buffer.from('user_id,user_id\na,b\n') },
    {
      feed: 'clicks-conversions',
      encoding: 'csv',
      delimiter: ';',
      body: Buffer.from('timestamp;user_id;campaign_id;conversion_type\n2026-03-02T10:00:00Z;"u;1";c1;click\n'),
    },
  ];
}

const reference = () =>
  REFERENCE_FEEDS.map((feed): Delivery => ({ feed, encoding: 'csv', delimiter: ',', body: readFileSync(join(traffic, 'reference', `${feed}.csv`)) }));

/** All that readers see, but for how it was divided into batches. */
async function everything(instance: Instance): Promise<Tables> {
  const { 'ops.batches': _, 'ops.ledger': __, 'ops.schema_drift': ___, 'ops.restatements': ____, ...tables } = await readEveryTable(instance);
  const read = async (sql: string) => (await instance.engine.rows(sql)).map((row) => ({ ...row })) as Tables[string];
  return {
    ...tables,
    'ops.outcomes': await read(
      'select feed, source, hour, sum(received) as received, sum(accepted) as accepted, sum(duplicate) as duplicate, sum(quarantined) as quarantined from ops.ledger group by all',
    ),
    'ops.unknown': await read('select feed, source, field, sum(records) as records from ops.schema_drift group by all'),
  };
}

const rawFiles = (instance: Instance) => readdirSync(instance.directory.raw, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.parquet'));

describe('a raw archive', () => {
  it('makes the tables that it was kept beside, refused records and all', async () => {
    const data = join(folder, 'live');
    let now = Date.UTC(2026, 3, 1, 23, 58) * 1_000;
    const original = await withInstance(data, ARCHIVED, async (instance) => {
      const { live } = await openSmallLive({ ...instance, nowMicros: () => now });
      for (const delivery of reference()) await live.take(delivery);
      // Rates are used for what comes after they are committed.
      await eventually(async () => Number((await instance.engine.rows('select count(*) as n from ref.currency_rates'))[0]?.['n']) > 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (const delivery of deliveries()) {
        now += 20_000_000;
        await live.take(delivery);
      }
      await live.stop();
      expect(new Set(rawFiles(instance).map((name) => name.split('/')[1]))).toEqual(new Set(['dt=2026-04-01', 'dt=2026-04-02']));
      return everything(instance);
    });
    expect(original['ops.quarantine']?.map((row) => row['code'])).toEqual(expect.arrayContaining(['malformed', 'id_conflict', 'missing_field']));
    await withInstance(join(folder, 'rebuilt'), { batchRecords: 120 }, async (instance) => {
      const progress: number[] = [];
      const done = await rebuildFromRaw(instance, join(data, 'raw'), (records) => progress.push(records));
      expect(progress.length).toBe(done.batches);
      expect(done.batches).toBeGreaterThan(7);
      const rebuilt = await everything(instance);
      expect(compareTables(original, rebuilt, ['batch_id'])).toBeNull();
      expect(compareTables(rebuilt, original, ['batch_id'])).toBeNull();
      expect(await brokenEquations(instance)).toEqual([]);
      await expect(rebuildFromRaw(instance, join(data, 'raw'))).rejects.toMatchObject({ code: 'data_unusable' });
    });
  });

  it('is read by the engine as it is, with the places that the tables have', async () => {
    await withInstance(join(folder, 'live'), {}, async (instance) => {
      const { DuckDBInstance } = await import('@duckdb/node-api');
      const duck = await (await DuckDBInstance.create()).connect();
      const glob = join(instance.directory.raw, '*/*/*.parquet');
      const read = async (sql: string) => (await duck.runAndReadAll(sql)).getRowObjectsJson();
      const raw = await read(
        `select split_part(filename, '/', -3) as feed, position, cast(dt as varchar) as dt, epoch_us(received_at) as received, octet_length(raw) as bytes from read_parquet('${glob}', hive_partitioning = true, filename = true) where problem_code is null order by all`,
      );
      expect(raw.length).toBeGreaterThan(300);
      const positions = new Map(raw.map((row) => [`${row['feed']} ${row['position']}`, row['received']]));
      for (const [feed, table] of [
        ['ad-impressions', 'impressions'],
        ['clicks-conversions', 'clicks'],
        ['bid-requests', 'bid_requests'],
      ])
        for (const row of await instance.engine.rows(`select position, epoch_us(received_at) as received from silver.${table}`))
          expect(positions.get(`${feed} ${row['position']}`)).toBe(String(row['received']));
    });
  });

  it('begins with what is taken once it is on, and goes on where it was off meanwhile', async () => {
    const data = join(folder, 'switched');
    const take = (id: string, options: object) =>
      withInstance(data, options, async (instance) => {
        const { live } = await openSmallLive(instance);
        await live.take(lines(impression(id), {}));
        await live.stop();
      });
    await take('before', {});
    await take('first', ARCHIVED);
    await take('second', ARCHIVED);
    await take('off', {});
    await take('off-2', {});
    await take('third', ARCHIVED);
    await withInstance(join(folder, 'switched-rebuilt'), {}, async (instance) => {
      await rebuildFromRaw(instance, join(data, 'raw'));
      const rows = await instance.engine.rows('select impression_id as id, position from silver.impressions order by position');
      expect(rows).toEqual([
        { id: 'first', position: 2n },
        { id: 'second', position: 4n },
        { id: 'third', position: 10n },
      ]);
      // The log of the old directory fits: what comes is numbered on.
      const { live } = await openSmallLive(instance);
      await live.take(lines(impression('next')));
      await live.stop();
      const [last] = await instance.engine.rows("select position from silver.impressions where impression_id = 'next'");
      expect(last).toEqual({ position: 12n });
    });
  });

  it('that cannot be written is told once in a while, and the log keeps what it has', async () => {
    const data = join(folder, 'blocked');
    await withInstance(data, ARCHIVED, async (instance) => {
      let batches = 0;
      instance.batches.onCommitted(() => batches++);
      const { live, events } = await openSmallLive(instance, {}, { logLimits: { segmentBytes: 200 } });
      const segments = () => readdirSync(instance.directory.log).filter((name) => name.endsWith('.log')).length;
      const inTheWay = join(instance.directory.raw, 'ad-impressions');
      writeFileSync(inTheWay, '');
      for (let index = 0; index < 8; index++) {
        await live.take(lines(impression(`a${index}`)));
        await eventually(() => batches === index + 1);
      }
      await eventually(() => events.length > 0);
      expect(events).toMatchObject([{ what: 'archive_failed', error: { code: 'log_failed' } }]);
      expect([live.isArchiveFailing, live.troubles]).toEqual([true, []]);
      expect(segments()).toBe(8);
      rmSync(inTheWay);
      await live.stop();
      expect([live.isArchiveFailing, events.length]).toEqual([false, 1]);
      expect(segments()).toBe(1);
    });
    await withInstance(join(folder, 'blocked-rebuilt'), {}, async (instance) => {
      expect(await rebuildFromRaw(instance, join(data, 'raw'))).toMatchObject({ outcomes: { received: 8, accepted: 8 } });
    });
  });

  it('finds the books that it numbers records by, until it has them', async () => {
    await withInstance(join(folder, 'folded'), ARCHIVED, async (instance) => {
      let batches = 0;
      instance.batches.onCommitted(() => batches++);
      const { live } = await openSmallLive(instance);
      for (let index = 0; index < 4; index++) {
        await live.take(lines(impression(`a${index}`)));
        await eventually(() => batches === index + 1);
      }
      const marks = async () => {
        await compactInstance(instance, { fromBatches: 0 });
        return (await instance.engine.rows<{ next: bigint }>('select next_entry as next from store.source_positions order by next')).map(({ next }) => next);
      };
      expect((await marks()).length).toBe(4);
      await live.stop();
      expect((await marks()).length).toBe(1);
    });
  });

  it('and the log that it was made from are all there was', async () => {
    const data = join(folder, 'lost');
    await withInstance(data, ARCHIVED, async (instance) => {
      const { live } = await openSmallLive(instance);
      for (let index = 0; index < 5; index++) await live.take(lines(impression(`a${index}`), 'broken'));
      await live.stop();
      // Another segment, of which nothing is archived.
      const { live: again } = await openSmallLive({ ...instance, settings: { ...instance.settings, raw_archive: { enabled: false } } });
      for (let index = 0; index < 5; index++) await again.take(lines(impression(`b${index}`), 'broken'));
      await again.stop();
      expect(readdirSync(instance.directory.log).filter((name) => name.endsWith('.log')).length).toBe(1);
    });
    for (const name of ['advertisex.duckdb', 'archive']) rmSync(join(data, name), { recursive: true, force: true });
    await withInstance(data, ARCHIVED, async (instance) => {
      await rebuildFromRaw(instance, join(data, 'raw'));
      const { live } = await openSmallLive(instance);
      await live.stop();
      const rows = await instance.engine.rows('select impression_id as id, position from silver.impressions order by position');
      expect(rows).toEqual(
        [...'ab'].flatMap((letter, half) => Array.from({ length: 5 }, (_, i) => ({ id: `${letter}${i}`, position: BigInt(10 * half + 2 * i) }))),
      );
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });
});
