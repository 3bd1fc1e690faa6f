import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Instance } from '../../src/app/instance.ts';
import { Telemetry } from '../../src/app/telemetry/telemetry.ts';
import type { Delivery } from '../../src/collector/collector.ts';
import type { Feed } from '../../src/domain/feeds.ts';
import { METRICS } from '../../src/telemetry/metric-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { filesOf, makeSmallDay, RECEIVED_MICROS } from '../faults/small-day.ts';
import { readExposition, sumOf } from '../telemetry/read-exposition.ts';
import { eventually, openSmallLive } from './open-small-live.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-telemetry-'));
const traffic = join(folder, 'traffic');
beforeAll(async () => void (await makeSmallDay(traffic)));
afterAll(() => rmSync(folder, { recursive: true }));

type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;
const untilStopped: Sleep = (_milliseconds, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve()));

function openTelemetry(sleep = untilStopped): { readonly telemetry: Telemetry; readonly lines: string[] } {
  const lines: string[] = [];
  const telemetry = new Telemetry({
    log: { format: 'json', level: 'debug' },
    say: { note: () => undefined, warn: () => undefined },
    write: (line) => lines.push(line),
    version: '0.0.0',
    nowMicros: () => RECEIVED_MICROS,
    nowSeconds: () => performance.now() / 1_000,
    sleep,
  });
  return { telemetry, lines };
}

const server = { load: async () => ({ connections: 3, bodyBytes: 4_096 }) };
const scrape = async (telemetry: Telemetry) => readExposition((await telemetry.expose('prometheus')).text);
const delivery = (feed: Feed, encoding: Delivery['encoding'], body: Uint8Array): Delivery => ({ feed, encoding, delimiter: ',', body });
const impressions = (...records: readonly object[]) =>
  delivery('ad-impressions', 'json', Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join('')));
const impression = { impression_id: 'conflict', creative_id: 'k1', user_id: 'user-4711', timestamp: '2026-03-02T10:00:00Z', website: 'w.example' };

describe('after a day of traffic', () => {
  it('the counters say what the books say, and the log tells of each batch without telling of anyone', async () => {
    const { telemetry, lines } = openTelemetry();
    await withInstance(join(folder, 'day'), { onStep: telemetry.onStep }, async (instance) => {
      instance.batches.onCommitted(telemetry.onCommitted);
      const { live } = await openSmallLive(instance, {}, { onEvent: telemetry.onLiveEvent });
      await telemetry.watch({ instance, live, server });
      const deliveries = [
        ...(['campaigns', 'creatives', 'users', 'currency-rates'] as const).map((feed) =>
          delivery(feed, 'csv', readFileSync(join(traffic, 'reference', `${feed}.csv`))),
        ),
        ...filesOf(traffic, 'ad-impressions').map((path) => delivery('ad-impressions', 'json', readFileSync(path))),
        ...filesOf(traffic, 'bid-requests').map((path) => delivery('bid-requests', 'avro', readFileSync(path))),
        ...filesOf(traffic, 'clicks-conversions').map((path) => delivery('clicks-conversions', 'csv', readFileSync(path))),
      ];
      // Twice: duplicates. And an identity that is taken, and a record that says nothing.
      for (const each of [...deliveries, ...deliveries]) await live.take(each);
      await live.take(impressions(impression));
      await live.take(impressions({ ...impression, website: 'other.example' }, { user_id: 'user-4711' }));
      await eventually(() => live.waiting.records === 0);
      await eventually(() => live.waiting.entries === 0);
      const shown = await scrape(telemetry);

      const ledger = await rows<{ feed: string; outcome: string; records: bigint }>(
        instance,
        'select feed, outcome, sum(records)::bigint as records from (unpivot (select feed, accepted, duplicate, quarantined from ops.ledger) on accepted, duplicate, quarantined into name outcome value records) l group by all order by all',
      );
      expect(ledger.length).toBe(21);
      for (const { feed, outcome, records } of ledger)
        expect([feed, outcome, sumOf(shown, 'advertisex_events_total', { feed, outcome, source: 'http' })]).toEqual([feed, outcome, Number(records)]);
      const received = ledger.reduce((sum, { records }) => sum + Number(records), 0);
      expect(sumOf(shown, 'advertisex_events_total')).toBe(received);
      expect(sumOf(shown, 'advertisex_freshness_seconds_count')).toBe(received);

      const quarantined = await rows<{ feed: string; code: string; records: bigint }>(
        instance,
        'select feed, code, count(*) as records from ops.quarantine group by all',
      );
      expect(quarantined.some(({ code }) => code === 'id_conflict')).toBe(true);
      for (const { feed, code, records } of quarantined)
        expect([feed, code, sumOf(shown, 'advertisex_quarantined_total', { feed, code })]).toEqual([feed, code, Number(records)]);
      expect(sumOf(shown, 'advertisex_quarantined_total')).toBe(sumOf(shown, 'advertisex_events_total', { outcome: 'quarantined' }));
      for (const feed of ['ad-impressions', 'clicks-conversions', 'bid-requests']) {
        const ofFeed = (outcome: string) => sumOf(shown, 'advertisex_events_total', { feed, outcome });
        const conflicts = sumOf(shown, 'advertisex_quarantined_total', { feed, code: 'id_conflict' });
        expect(sumOf(shown, 'advertisex_event_lag_seconds_count', { feed })).toBe(ofFeed('accepted') + ofFeed('duplicate') + conflicts);
      }

      const [books] = await rows<{ batches: bigint; last: bigint; restated: bigint }>(
        instance,
        'select count(*) as batches, max(batch_id) as last, sum(restated)::bigint as restated from ops.batches',
      );
      expect(sumOf(shown, 'advertisex_batches_total')).toBe(Number(books?.batches));
      expect(sumOf(shown, 'advertisex_last_batch_id')).toBe(Number(books?.last));
      expect(sumOf(shown, 'advertisex_restated_rows_total')).toBe(Number(books?.restated));
      expect(sumOf(shown, 'advertisex_batch_duration_seconds_count', { stage: 'commit' })).toBe(Number(books?.batches));
      expect(sumOf(shown, 'advertisex_batch_duration_seconds_count', { stage: 'gold' })).toBeGreaterThan(0);

      const told = lines.map((line) => JSON.parse(line) as Record<string, number | string>).filter(({ event }) => event === 'batch_committed');
      expect(told.map((line) => line['batch_id'])).toEqual(Array.from({ length: Number(books?.batches) }, (_, index) => index + 1));
      expect(told.reduce((sum, line) => sum + Number(line['received']), 0)).toBe(received);
      await telemetry.stopWatching();
      await live.stop();

      const users = await rows<{ user_id: string }>(instance, 'select distinct user_id from silver.events where length(user_id) > 5');
      expect(users.length).toBeGreaterThan(10);
      const all = `${lines.join('')}${(await telemetry.expose('prometheus')).text}`;
      expect(users.filter(({ user_id }) => all.includes(user_id))).toEqual([]);
    });
  });
});

it('shows what goes wrong while it does', async () => {
  const { telemetry, lines } = openTelemetry();
  let isHeld = true;
  const onStep = (step: string) => {
    telemetry.onStep(step);
    if (step === 'books' && isHeld) throw new Error('user_id=user-4711 broke it');
  };
  await withInstance(join(folder, 'held'), { onStep, settings: { recon: { every_seconds: 0 } } }, async (instance) => {
    instance.batches.onCommitted(telemetry.onCommitted);
    const { live } = await openSmallLive(instance, { waitingRecords: 2 }, { onEvent: telemetry.onLiveEvent });
    await telemetry.watch({ instance, live, server });
    const firing = async () =>
      (await scrape(telemetry))
        .get('advertisex_alerts_firing')
        ?.samples.filter(({ value }) => value === 1)
        .map(({ labels }) => labels['rule']);
    expect(await firing()).toEqual([]);
    await live.take(impressions(impression, impression));
    await eventually(() => live.troubles.length === 2);
    expect(await firing()).toEqual(['failing', 'behind']);
    const shown = await scrape(telemetry);
    expect(sumOf(shown, 'advertisex_source_lag_records', { source: 'http' })).toBe(2);
    expect(sumOf(shown, 'advertisex_log_waiting_entries')).toBe(1);
    expect(sumOf(shown, 'advertisex_log_bytes')).toBeGreaterThan(impressions(impression, impression).body.length);
    expect(sumOf(shown, 'advertisex_batch_failures_total', { code: 'unexpected' })).toBeGreaterThan(0);
    expect(sumOf(shown, 'advertisex_events_total')).toBe(0);
    expect([sumOf(shown, 'advertisex_http_connections'), sumOf(shown, 'advertisex_http_held_body_bytes')]).toEqual([3, 4_096]);
    isHeld = false;
    await eventually(() => live.troubles.length === 0);
    await eventually(() => live.waiting.entries === 0);
    expect(await firing()).toEqual([]);
    await telemetry.stopWatching();
    expect(await firing()).toEqual(['stopping']);
    await live.stop();
    expect(lines.some((line) => line.includes('"batch_failed"'))).toBe(true);
    expect(lines.join('')).not.toContain('4711');
  });
});

it('tells of an archive that fails as of that, and of no batch that did', async () => {
  const { telemetry, lines } = openTelemetry();
  await withInstance(join(folder, 'unarchived'), { settings: { raw_archive: { enabled: true }, recon: { every_seconds: 0 } } }, async (instance) => {
    instance.batches.onCommitted(telemetry.onCommitted);
    const { live } = await openSmallLive(instance, {}, { onEvent: telemetry.onLiveEvent, logLimits: { segmentBytes: 200 } });
    await telemetry.watch({ instance, live, server });
    const isFiring = async () => sumOf(await scrape(telemetry), 'advertisex_alerts_firing', { rule: 'archive_failing' });
    expect(await isFiring()).toBe(0);
    const inTheWay = join(instance.directory.raw, 'ad-impressions');
    writeFileSync(inTheWay, '');
    for (const id of ['a', 'b', 'c']) {
      await live.take(impressions({ ...impression, impression_id: id }));
      await eventually(() => live.waiting.entries === 0);
    }
    await eventually(async () => (await isFiring()) === 1);
    rmSync(inTheWay);
    await live.stop();
    expect(await isFiring()).toBe(0);
    const shown = await scrape(telemetry);
    expect(sumOf(shown, 'advertisex_archive_failures_total', { code: 'log_failed' })).toBe(1);
    expect(sumOf(shown, 'advertisex_batch_failures_total')).toBe(0);
    await telemetry.stopWatching();
    expect(lines.filter((line) => /_failed"|log_kept/.test(line)).map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['archive_failed']);
  });
});

it('knows of the last batch of the process before', async () => {
  const data = join(folder, 'before');
  for (const round of [1, 2]) {
    const { telemetry } = openTelemetry();
    await withInstance(data, {}, async (instance) => {
      instance.batches.onCommitted(telemetry.onCommitted);
      const { live } = await openSmallLive(instance, {}, round === 1 ? { onEvent: telemetry.onLiveEvent } : {});
      await telemetry.watch({ instance, live, server });
      if (round === 1) await live.take(impressions(impression));
      await live.stop();
      const shown = await scrape(telemetry);
      expect([sumOf(shown, 'advertisex_last_batch_id'), sumOf(shown, 'advertisex_last_commit_timestamp_seconds')]).toEqual([1, RECEIVED_MICROS / 1_000_000]);
      await telemetry.stopWatching();
    });
  }
});

it('reconciles beside the batches, with the equations that the command checks', async () => {
  const { promise: mayBegin, resolve: begin } = Promise.withResolvers<void>();
  let rests = 0;
  const { telemetry, lines } = openTelemetry((milliseconds, signal) => {
    if (rests++ === 0) return mayBegin;
    return milliseconds > 60_000 ? untilStopped(milliseconds, signal) : Promise.resolve();
  });
  await withInstance(join(folder, 'recon'), {}, async (instance) => {
    instance.batches.onCommitted(telemetry.onCommitted);
    const { live } = await openSmallLive(instance, {}, { onEvent: telemetry.onLiveEvent });
    await live.take(impressions(impression));
    await telemetry.watch({ instance, live, server });
    await eventually(() => live.waiting.entries === 0);
    await instance.engine.run('update store.campaign_hourly set impressions = impressions + 1');
    begin();
    await eventually(async () => (await scrape(telemetry)).get('advertisex_reconciliation_timestamp_seconds')?.samples.length === 1);
    const shown = await scrape(telemetry);
    const equations = shown.get('advertisex_reconciliation_difference_rows')?.samples ?? [];
    expect(equations.length).toBe(readdirSync(join(import.meta.dirname, '../../models/recon')).length + 1);
    expect(equations.filter(({ value }) => value > 0).map(({ labels }) => labels['equation'])).toContain('4-campaign-sums');
    expect(sumOf(shown, 'advertisex_alerts_firing', { rule: 'reconciliation_broken' })).toBe(1);
    expect(lines.some((line) => line.includes('"reconciliation_broken"') && line.includes('4-campaign-sums'))).toBe(true);
    await telemetry.stopWatching();
    await live.stop();
  });
});

it('does not go back to that batch once it has committed one itself', async () => {
  const { telemetry } = openTelemetry();
  await withInstance(join(folder, 'before'), {}, async (instance) => {
    const { live } = await openSmallLive(instance);
    const reads = instance.reads as NonNullable<Instance['reads']>;
    const outcomes = { received: 0, accepted: 0, duplicate: 0, quarantined: 0 };
    const batch = { cause: 'late' as const, chunks: [], files: [], stagingDirectory: '', readRaw: async () => [] };
    const read: typeof reads.read = async (statement, signal) => {
      telemetry.onCommitted({ batchId: 2, outcomes, bySource: new Map(), restated: 0 }, batch);
      return reads.read(statement, signal);
    };
    await telemetry.watch({ instance: { ...instance, reads: Object.assign(Object.create(reads), { read }) as typeof reads }, live, server });
    expect(sumOf(await scrape(telemetry), 'advertisex_last_batch_id')).toBe(2);
    await telemetry.stopWatching();
    await live.stop();
  });
});

it('a batch that cannot be counted is committed all the same', () => {
  const { telemetry, lines } = openTelemetry();
  const outcomes = { received: 1, accepted: -1, duplicate: 0, quarantined: 0 };
  const chunks = [{} as never];
  telemetry.onCommitted(
    { batchId: 1, outcomes, bySource: new Map([['users http', outcomes]]), restated: 0 },
    { cause: 'late', chunks, files: [], stagingDirectory: '', readRaw: async () => [] },
  );
  expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['count_failed', 'batch_committed']);
});

it('each metric of the table is set somewhere', () => {
  const sources = readdirSync(join(import.meta.dirname, '../../src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('metric-table.ts'))
    .map((file) => readFileSync(join(import.meta.dirname, '../../src', file), 'utf8'))
    .join('');
  for (const name of Object.keys(METRICS)) expect(sources, name).toContain(`'${name}'`);
});

function rows<Row extends Record<string, string | bigint>>(instance: Instance, sql: string): Promise<Row[]> {
  return instance.engine.rows<Row>(sql);
}
