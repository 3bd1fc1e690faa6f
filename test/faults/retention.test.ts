import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compactInstance } from '../../src/app/compact.ts';
import { expire, plannedExpiry } from '../../src/app/expire.ts';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import { replayQuarantine } from '../../src/app/quarantine.ts';
import { rebuild } from '../../src/app/rebuild.ts';
import { exportInstanceLake } from '../../src/app/write-lake.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { brokenEquations, lakeState, readEveryTable, readStoredTables, strayArchiveFiles } from './every-table.ts';
import { type FaultyOptions, withInstance } from './open-instance.ts';
import { callsFor, filesOf, makeSmallDay } from './small-day.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-retention-'));
const traffic = join(folder, 'traffic');
beforeAll(async () => void (await makeSmallDay(traffic, { days: 4, impressions: 300 })));
afterAll(() => rmSync(folder, { recursive: true }));

const micros = (time: string) => Date.parse(time) * 1_000;
let made = 0;
const fresh = () => join(folder, `data-${++made}`);

/** Windows of hours, so that days are enough. */
const SHORT = {
  correlation: { click_to_impression_seconds: 3_600 },
  attribution: { click_window_seconds: 43_200, impression_window_seconds: 3_600 },
};
const options = (retention: object, now: string): FaultyOptions => ({
  settings: { ...SHORT, retention: { late_days: 0, ...retention } },
  nowMicros: micros(now),
});

let files = 0;
async function take(instance: Instance, feed: 'ad-impressions' | 'clicks-conversions' | 'bid-requests', ...records: object[]) {
  const path = join(folder, `records-${++files}.json`);
  writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return (await ingestFiles(instance, [{ feed, paths: [path], encoding: 'json' }])).outcomes;
}

const impression = (timestamp: string, more: object = {}) => ({ creative_id: 'k', campaign_id: 'c', user_id: 'u', website: 'w.example', timestamp, ...more });
const click = (timestamp: string, more: object = {}) => ({ user_id: 'u', campaign_id: 'c', conversion_type: 'click', timestamp, ...more });
const conversion = (timestamp: string, more: object = {}) => ({ user_id: 'u', campaign_id: 'c', conversion_type: 'purchase', value: 9, timestamp, ...more });
const rows = (instance: Instance, sql: string) => instance.engine.rows(sql);

const foldedRows = async (instance: Instance) => Number((await rows(instance, 'select count(*) as n from store.campaign_hourly_folded'))[0]?.['n']);

/** What readers see of days that are kept, and all sums. */
function since(tables: Tables, day: number): Tables {
  const dayOf = (row: Record<string, unknown>) => Number(row['report_date'] ?? row['conversion_date']);
  return Object.fromEntries(
    Object.entries(tables)
      .filter(([name]) => /^(silver|gold)\./.test(name))
      .map(([name, all]) => [name, name === 'gold.campaign_hourly' || name === 'gold.auction_daily' ? all : all.filter((row) => dayOf(row) >= day)]),
  );
}

describe('days that are older than they are kept', () => {
  it('go from every table and file, and every equation holds', async () => {
    const data = fresh();
    await withInstance(data, options({}, '2026-04-01T00:00:00Z'), async (instance) => {
      for (const request of callsFor(traffic).flat()) await ingestFiles(instance, [request]);
      await exportInstanceLake(instance);
      // Sums that are folded are sums, too.
      await compactInstance(instance, { fromBatches: 0 });
      expect(await foldedRows(instance)).toBeGreaterThan(0);
    });
    const keeping = options({ silver_days: 29, quarantine_days: 1, bid_requests_days: 28 }, '2026-04-02T12:00:00Z');
    await withInstance(data, keeping, async (instance) => {
      const before = await readEveryTable(instance);
      const planned = await plannedExpiry(instance);
      expect(compareTables(before, await readEveryTable(instance))).toBeNull();
      const gone = await expire(instance);
      expect(gone).toEqual(planned);
      expect(gone.map(({ table }) => table).sort()).toEqual(['attribution', 'bid_requests', 'clicks', 'conversions', 'impressions']);
      // Before the lake has followed, and after.
      expect(await brokenEquations(instance)).toEqual([]);
      await exportInstanceLake(instance);
      expect(await brokenEquations(instance)).toEqual([]);
      expect(await lakeState(instance)).toMatchObject({ batchesBehind: 0, differences: [] });
      expect(await strayArchiveFiles(instance)).toEqual([]);
      const after = await readEveryTable(instance);
      const cutoff = micros('2026-03-04') / 86_400_000_000;
      const bids = since(after, cutoff)['silver.bid_requests']?.length ?? 0;
      expect(after['silver.bid_requests']?.length).toBe(bids);
      const { 'silver.bid_requests': _, 'silver.events': __, 'gold.user_campaign_daily': ___, ...kept } = since(before, cutoff);
      expect(compareTables(kept, since(after, cutoff))).toBeNull();
      for (const table of ['impressions', 'clicks', 'conversions']) {
        expect(after[`silver.${table}`]?.length).toBeGreaterThan(0);
        expect(await rows(instance, `select 1 as found from silver.${table} where report_date < '2026-03-04'`)).toEqual([]);
      }
      const [counted] = await rows(instance, 'select sum(rows)::bigint as n from ops.expirations');
      expect(counted?.['n']).toBe(BigInt(gone.reduce((sum, each) => sum + each.rows, 0)));
      expect(await expire(instance)).toEqual([]);
    });
    await withInstance(data, options({ silver_days: 29, quarantine_days: 1, gold_days: 30 }, '2026-05-20T00:00:00Z'), async (instance) => {
      await expire(instance);
      expect(await brokenEquations(instance)).toEqual([]);
      for (const [name, all] of Object.entries(await readEveryTable(instance)))
        if (/^(silver|gold)\.|^ops.quarantine/.test(name)) expect([name, all]).toEqual([name, []]);
      await exportInstanceLake(instance);
      expect(await brokenEquations(instance)).toEqual([]);
      expect(await strayArchiveFiles(instance)).toEqual([]);
      expect(await foldedRows(instance)).toBe(0);
      const stored = await readStoredTables(instance);
      for (const table of [
        'impressions',
        'exposures',
        'clicks',
        'conversions',
        'bid_requests',
        'attribution',
        'retractions',
        'replays',
        'campaign_hourly',
        'archive_parts',
      ])
        expect([table, stored[`store.${table}`]]).toEqual([table, []]);
      // What identifies an event is kept.
      const path = join(folder, 'again.jsonl');
      writeFileSync(path, `${readFileSync(filesOf(traffic, 'ad-impressions')[0] as string, 'utf8')}\n`);
      const again = await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [path] }]);
      // One that was too early then is not any more.
      expect(again.outcomes).toMatchObject({ accepted: expect.toSatisfy((count) => count < 3), duplicate: expect.toSatisfy((count) => count > 100) });
    });
  });

  it('and whatever comes late for them restate nothing that was said when they were there', async () => {
    const data = fresh();
    await withInstance(data, options({}, '2026-03-06T00:00:00Z'), async (instance) => {
      await take(instance, 'ad-impressions', impression('2026-03-02T23:30:00Z'), impression('2026-03-03T08:00:00Z'));
      await take(
        instance,
        'clicks-conversions',
        // Double clicks over midnight, a match over midnight, a path over midnight.
        click('2026-03-02T23:59:59.8Z'),
        click('2026-03-03T00:00:00.5Z'),
        click('2026-03-03T08:10:00Z'),
        conversion('2026-03-03T09:00:00Z', { order_id: 'o1' }),
        conversion('2026-03-04T07:00:00Z', { order_id: 'o2' }),
      );
    });
    const keeping = options({ silver_days: 2 }, '2026-03-05T00:00:00Z');
    const said = async (instance: Instance) => ({
      clicks: await rows(
        instance,
        "select event_time, valid, invalid_reasons, impression_key from silver.clicks where report_date >= '2026-03-03' order by event_time",
      ),
      credit: await rows(
        instance,
        "select a.* from gold.attribution a join silver.conversions c on c.event_key = a.conversion_key where c.order_id in ('o1', 'o2') order by all",
      ),
    });
    await withInstance(data, keeping, async (instance) => {
      const before = await said(instance);
      expect(before.clicks.map((row) => row['invalid_reasons'])).toEqual(['double_click', null]);
      expect(before.credit.length).toBe(3);
      const [{ last_touch_ppm: hourBefore } = {}] = await rows(instance, "select last_touch_ppm from gold.campaign_hourly where hour = '2026-03-02 23:00:00'");
      await expire(instance);
      expect(await said(instance)).toEqual(before);
      expect(await brokenEquations(instance)).toEqual([]);
      const late = [
        // The click before midnight, which it is a double click of, is gone.
        await take(instance, 'clicks-conversions', click('2026-03-02T22:00:00Z'), conversion('2026-03-02T23:50:00Z', { order_id: 'o3' })),
        await take(instance, 'ad-impressions', impression('2026-03-02T23:45:00Z'), impression('2026-03-02T21:00:00Z')),
        // It is as it was when it came the first time.
        await take(instance, 'clicks-conversions', click('2026-03-02T23:59:59.8Z')),
      ];
      expect(late.map(({ accepted, duplicate }) => [accepted, duplicate])).toEqual([
        [2, 0],
        [2, 0],
        [0, 1],
      ]);
      expect(await said(instance)).toEqual(before);
      expect(await brokenEquations(instance)).toEqual([]);
      // A day that is there whole is judged as ever.
      await take(instance, 'clicks-conversions', click('2026-03-04T06:59:59Z'), click('2026-03-04T06:59:59.5Z'));
      const now = await said(instance);
      expect(now.clicks.slice(2).map((row) => row['invalid_reasons'])).toEqual([null, 'double_click']);
      expect(now.credit.length).toBe(3);
      expect(now.credit).not.toEqual(before.credit);
      await rebuild(instance);
      expect(await said(instance)).toEqual(now);
      const [{ last_touch_ppm: hourAfter } = {}] = await rows(instance, "select last_touch_ppm from gold.campaign_hourly where hour = '2026-03-02 23:00:00'");
      expect(Number(hourAfter)).toBeGreaterThanOrEqual(Number(hourBefore));
      expect(await brokenEquations(instance)).toEqual([]);
      // What came late for days that are gone goes with the next run.
      expect((await expire(instance)).map(({ table }) => table).sort()).toEqual(['attribution', 'clicks', 'conversions', 'impressions']);
      expect(await rows(instance, "select 1 as found from silver.events where report_date < '2026-03-03'")).toEqual([]);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('are told from days of the reporting time zone, and reach is not told where it is not known any more', async () => {
    const data = fresh();
    const berlin = { instance: { reporting_time_zone: 'Asia/Kolkata' } };
    const settings = (retention: object, now: string): FaultyOptions => {
      const given = options(retention, now);
      return { ...given, settings: { ...given.settings, ...berlin } };
    };
    await withInstance(data, settings({ silver_days: 2, gold_days: 2 }, '2026-03-05T18:00:00Z'), async (instance) => {
      // Half an hour before and after midnight in India, in one hour of UTC.
      await take(instance, 'ad-impressions', impression('2026-03-02T18:10:00Z'), impression('2026-03-02T18:40:00Z'), impression('2026-03-03T18:00:00Z'));
      await exportInstanceLake(instance);
      expect(await expire(instance)).toEqual([
        { table: 'impressions', before: '2026-03-03', firstDay: '2026-03-02', lastDay: '2026-03-02', days: 1, rows: 1 },
        { table: 'gold', before: '2026-03-03', firstDay: '2026-03-02', lastDay: '2026-03-02', days: 1, rows: 3 },
      ]);
      expect(await brokenEquations(instance)).toEqual([]);
      await exportInstanceLake(instance);
      expect(await brokenEquations(instance)).toEqual([]);
      expect(await rows(instance, 'select report_date, impressions, reach from gold.campaign_report')).toEqual([
        { report_date: 20_515, impressions: 2n, reach: 1n },
      ]);
    });
    await withInstance(data, settings({ silver_days: 2 }, '2026-03-09T18:00:00Z'), async (instance) => {
      await expire(instance);
      expect(await rows(instance, 'select impressions, reach, frequency from gold.campaign_report')).toEqual([
        { impressions: 2n, reach: null, frequency: null },
      ]);
    });
  });

  it('are all there, or all gone, wherever it fails', async () => {
    const data = fresh();
    await withInstance(data, options({}, '2026-04-01T00:00:00Z'), async (instance) => {
      for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
    });
    const keeping = options({ silver_days: 2, gold_days: 2 }, '2026-04-02T12:00:00Z');
    for (const step of ['expire/attribution', 'expire/bid_requests', 'expire/gold', 'expire/commit']) {
      let failed = false;
      const onStep = (current: string) => {
        if (current === step && !failed) {
          failed = true;
          throw new Error('no luck');
        }
      };
      await withInstance(data, { ...keeping, onStep }, async (instance) => {
        const before = await readStoredTables(instance);
        await expect(expire(instance)).rejects.toThrow('no luck');
        expect(compareTables(before, await readStoredTables(instance))).toBeNull();
        expect(await brokenEquations(instance)).toEqual([]);
        expect(await strayArchiveFiles(instance)).toEqual([]);
      });
    }
    await withInstance(data, keeping, async (instance) => {
      expect((await expire(instance)).length).toBe(6);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('are those of one moment, though midnight comes while it is at work', async () => {
    await withInstance(fresh(), options({ silver_days: 2 }, '2026-03-05T12:00:00Z'), async (instance) => {
      await take(instance, 'ad-impressions', impression('2026-03-02T08:00:00Z'), impression('2026-03-03T08:00:00Z'));
      const times = ['2026-03-05T23:59:59Z'];
      const nowMicros = () => micros(times.shift() ?? '2026-03-06T00:00:00Z');
      const gone = await expire({ ...instance, nowMicros });
      expect(gone.find(({ table }) => table === 'impressions')).toMatchObject({ before: '2026-03-03', days: 1, rows: 1 });
      expect(await rows(instance, 'select count(*) as n from silver.impressions')).toEqual([{ n: 1n }]);
    });
  });

  it('are not replayed out of quarantine by whoever read them before they went', async () => {
    const data = fresh();
    const refused = (timestamp: string) => impression(timestamp, { price: 1, currency: 'EUR' });
    await withInstance(data, options({}, '2026-03-03T12:00:00Z'), (instance) => take(instance, 'ad-impressions', refused('2026-03-03T10:00:00Z')));
    await withInstance(data, options({ quarantine_days: 2 }, '2026-03-06T12:00:00Z'), async (instance) => {
      await take(instance, 'ad-impressions', refused('2026-03-06T10:00:00Z'), refused('2026-03-06T11:00:00Z'));
      const path = join(folder, 'rates.csv');
      writeFileSync(path, 'rate_date,currency,rate\n2026-03-03,EUR,1.1\n2026-03-06,EUR,1.1\n');
      await ingestFiles(instance, [{ feed: 'currency-rates', paths: [path] }]);
      const { engine } = instance;
      const read: number[] = [];
      const committed = Object.create(engine) as Instance['engine'];
      committed.rows = async <Row>(sql: string, parameters?: Parameters<typeof engine.rows>[1]) => {
        const found = await engine.rows(sql, parameters);
        if (!sql.includes('ops.quarantine')) return found as Row[];
        read.push(found.length);
        if (read.length === 1) await expire(instance);
        return found as Row[];
      };
      expect(await replayQuarantine(instance, {}, { committed })).toMatchObject({ replayed: 2, accepted: 2 });
      expect(read.slice(0, 2)).toEqual([3, 2]);
      expect(await brokenEquations(instance)).toEqual([]);
      expect(await rows(instance, 'select count(*) as n from store.replays')).toEqual([{ n: 2n }]);
    });
  });

  it('give their space back to what comes', async () => {
    await withInstance(fresh(), options({ silver_days: 2 }, '2026-03-09T12:00:00Z'), async (instance) => {
      const { engine } = instance;
      const fill = async (day: string) => {
        await engine.run(
          `insert into store.exposures by name select uuid() as event_key, hash(i) >> 1 as user_hash, md5(cast(i as varchar)) as user_id, date '${day}' as report_date,
             timestamp '${day}' as event_time, true as valid, 1 as since_batch from range(200000) r(i)`,
        );
        await engine.settle('some');
      };
      const size = async () =>
        (await rows(instance, 'select used_blocks, total_blocks from pragma_database_size()'))[0] as { used_blocks: bigint; total_blocks: bigint };
      const sizes: number[] = [];
      for (const day of ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04']) {
        await fill(day);
        // A row that readers see, so that the day is one to remove.
        await take(instance, 'ad-impressions', impression(`${day}T00:00:00Z`));
        const before = await size();
        await expire(instance);
        expect(Number((await size()).used_blocks)).toBeLessThan(Number(before.used_blocks) / 3);
        sizes.push(Number(before.total_blocks));
      }
      // Four days came, each as large as the first.
      expect(sizes.at(-1)).toBeLessThan(2 * (sizes[0] as number));
    });
  });
});
