import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import type { Delivery } from '../../src/collector/collector.ts';
import { type Feed, REFERENCE_FEEDS } from '../../src/domain/feeds.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { callsFor, makeSmallDay } from '../faults/small-day.ts';
import { eventually, openSmallLive } from './open-small-live.ts';
import { deliveries, figures } from './small-day-figures.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-live-'));
const traffic = join(folder, 'traffic');
beforeAll(async () => void (await makeSmallDay(traffic)));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (text: string) => Buffer.from(text);
const json = (feed: Feed, ...records: readonly object[]): Delivery => ({
  feed,
  encoding: 'json',
  delimiter: ',',
  body: bytes(records.map((record) => `${JSON.stringify(record)}\n`).join('')),
});
const impression = (id: string, more: object = {}) => ({
  impression_id: id,
  creative_id: 'k1',
  user_id: 'u1',
  timestamp: '2026-03-02T10:00:00Z',
  website: 'w.example',
  ...more,
});
const rows = (instance: Instance, sql: string) => instance.engine.rows(sql);
const count = async (instance: Instance, table: string) => Number((await rows(instance, `select count(*) as n from ${table}`))[0]?.['n']);

describe('what comes to the collector', () => {
  it('gives the figures that the same records give as files', async () => {
    const expected = await withInstance(join(folder, 'files'), {}, async (instance) => {
      for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
      return figures(instance);
    });
    await withInstance(join(folder, 'live'), {}, async (instance) => {
      const { live } = await openSmallLive(instance);
      const [reference, events] = [deliveries(traffic).slice(0, REFERENCE_FEEDS.length), deliveries(traffic).slice(REFERENCE_FEEDS.length)];
      for (const delivery of reference) await live.take(delivery);
      // Rates are used for what comes after they are committed.
      await eventually(async () => (await count(instance, 'ref.currency_rates')) > 0);
      await eventually(() => live.status().state === 'idle');
      await Promise.all(events.map((delivery) => live.take(delivery)));
      await live.stop();
      expect(await figures(instance)).toEqual(expected);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('is told at once what was refused, and why', async () => {
    await withInstance(join(folder, 'refused'), {}, async (instance) => {
      const { live } = await openSmallLive(instance);
      const good = impression('i1');
      const receipt = await live.take(json('ad-impressions', good, { ...good, user_id: '' }, good, { ...good, timestamp: 'soon' }));
      expect(receipt).toMatchObject({
        received: 4,
        moreRefused: 0,
        refused: [
          { record: 1, violations: [{ code: 'missing_field', pointer: '/user_id' }] },
          { record: 3, violations: [{ code: 'bad_timestamp', pointer: '/timestamp' }] },
        ],
      });
      const bad = await live.take(json('ad-impressions', ...Array.from({ length: 150 }, () => ({}))));
      expect([bad.received, bad.refused.length, bad.moreRefused]).toEqual([150, 100, 50]);
      expect(await live.take({ ...json('ad-impressions'), body: bytes('not json') })).toMatchObject({
        received: 1,
        refused: [{ record: 0, violations: [{ code: 'malformed' }] }],
      });
      expect(await live.take(json('ad-impressions'))).toEqual({ received: 0, refused: [], moreRefused: 0 });
      await live.stop();
      expect(
        await rows(
          instance,
          'select sum(received)::bigint as received, sum(accepted)::bigint as accepted, sum(duplicate)::bigint as duplicate, sum(quarantined)::bigint as quarantined from ops.ledger',
        ),
      ).toEqual([{ received: 155n, accepted: 1n, duplicate: 1n, quarantined: 153n }]);
    });
  });

  it('is numbered in the order of the log, without gaps, however much comes at once', async () => {
    await withInstance(join(folder, 'order'), {}, async (instance) => {
      const { live } = await openSmallLive(instance);
      await Promise.all(Array.from({ length: 60 }, (_, i) => live.take(json('ad-impressions', impression(`${i}a`), impression(`${i}b`), impression(`${i}c`)))));
      await live.stop();
      const found = await rows(instance, 'select impression_id as id, position from silver.impressions order by position');
      expect(found.map(({ position }) => Number(position))).toEqual(Array.from({ length: 180 }, (_, position) => position));
      expect(found.map(({ id }) => String(id).at(-1)).join('')).toBe('abc'.repeat(60));
    });
  });

  it('keeps the bytes of a record that contradicts an earlier one', async () => {
    await withInstance(join(folder, 'conflict'), {}, async (instance) => {
      const { live } = await openSmallLive(instance);
      await live.take(json('ad-impressions', impression('x'), impression('first')));
      const other = impression('first', { website: 'other.example' });
      await live.take({ ...json('ad-impressions', impression('y'), other), body: gzipSync(json('ad-impressions', impression('y'), other).body) });
      await live.stop();
      const [row] = await rows(instance, "select raw, position from ops.quarantine where code = 'id_conflict'");
      expect(Buffer.from(row?.['raw'] as Uint8Array).toString()).toBe(JSON.stringify(other));
      expect(row?.['position']).toBe(3n);
    });
  });

  it('is converted by rates that came before it', async () => {
    await withInstance(join(folder, 'rates'), {}, async (instance) => {
      const { live } = await openSmallLive(instance);
      const priced = impression('e', { currency: 'EUR', price: '2.00' });
      await live.take(json('ad-impressions', priced));
      await live.take({ feed: 'currency-rates', encoding: 'csv', delimiter: ',', body: bytes('rate_date,currency,rate\n2026-03-02,EUR,1.5\n') });
      await eventually(async () => {
        await live.take(json('ad-impressions', { ...priced, impression_id: `e${Math.random()}` }));
        return (await count(instance, 'silver.impressions')) > 0;
      });
      await live.stop();
      const [row] = await rows(instance, 'select any_value(price_cpm_micros) as price from silver.impressions');
      expect(row?.['price']).toBe(3_000_000n);
    });
  });
});

describe('a body', () => {
  it('that does not decompress, or to too much, is refused, and nothing of it is taken', async () => {
    await withInstance(join(folder, 'bodies'), {}, async (instance) => {
      const { live } = await openSmallLive(instance, { bodyBytes: 10_000 });
      const delivery = json('ad-impressions', impression('1'));
      const cut = gzipSync(delivery.body).subarray(0, 40);
      await expect(live.take({ ...delivery, body: cut })).rejects.toMatchObject({ code: 'body_damaged' });
      for (const compress of [gzipSync, zstdCompressSync])
        await expect(live.take({ ...delivery, body: compress(Buffer.alloc(1_000_000)) })).rejects.toMatchObject({ code: 'body_too_large' });
      await expect(live.take({ ...delivery, body: Buffer.alloc(10_001) })).rejects.toMatchObject({ code: 'body_too_large' });
      await live.stop();
      expect(await count(instance, 'ops.batches')).toBe(0);
    });
  });
});

describe('a pipeline', () => {
  it('tries a batch that fails until it does not, and loses nothing', async () => {
    let failures = 3;
    const onStep = (step: string) => {
      if (step === 'books' && failures-- > 0) throw new Error('no luck');
    };
    await withInstance(join(folder, 'retried'), { onStep }, async (instance) => {
      const { live, events } = await openSmallLive(instance);
      await live.take(json('ad-impressions', impression('1')));
      await eventually(() => live.troubles.length > 0);
      await live.take(json('ad-impressions', impression('2')));
      await eventually(async () => (await count(instance, 'silver.impressions')) === 2);
      expect(live.troubles).toEqual([]);
      expect(events.filter(({ what }) => what === 'failed').length).toBe(3);
      await live.stop();
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('refuses what would wait for too long', async () => {
    let isHeld = true;
    const onStep = (step: string) => {
      if (step === 'books' && isHeld) throw new Error('held up');
    };
    await withInstance(join(folder, 'busy'), { onStep }, async (instance) => {
      const { live } = await openSmallLive(instance, { waitingRecords: 3 });
      for (const id of ['1', '2', '3']) await live.take(json('ad-impressions', impression(id)));
      await expect(live.take(json('ad-impressions', impression('4')))).rejects.toMatchObject({ code: 'server_busy' });
      isHeld = false;
      await eventually(() => live.troubles.length === 0);
      await live.take(json('ad-impressions', impression('4')));
      await live.stop();
      expect(await count(instance, 'silver.impressions')).toBe(4);
    });
  });

  it('stages anew from the log what it could not stage', async () => {
    await withInstance(join(folder, 'restaged'), {}, async (instance) => {
      const { live, events } = await openSmallLive(instance);
      const { staging } = instance.directory;
      renameSync(staging, `${staging}-away`);
      await live.take(json('ad-impressions', impression('1'), impression('2')));
      await eventually(() => events.some(({ what }) => what === 'failed'));
      await expect(live.take(json('ad-impressions', impression('3')))).rejects.toMatchObject({ code: 'server_busy' });
      renameSync(`${staging}-away`, staging);
      await eventually(async () => (await count(instance, 'silver.impressions')) === 2);
      await live.take(json('ad-impressions', impression('3')));
      await live.stop();
      expect(await rows(instance, 'select position from silver.impressions order by position')).toEqual([{ position: 0n }, { position: 1n }, { position: 2n }]);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('goes on where it stopped, and drops what is committed from the log', async () => {
    const data = join(folder, 'again');
    for (const round of [0, 1, 2]) {
      await withInstance(data, {}, async (instance) => {
        const { live, events } = await openSmallLive(instance);
        expect(events).toEqual([]);
        await live.take(json('ad-impressions', impression(`${round}`)));
        await live.take(json('clicks-conversions', { timestamp: `2026-03-02T10:0${round}:00Z`, user_id: 'u1', campaign_id: 'c', conversion_type: 'click' }));
        await live.stop();
        expect(await count(instance, 'silver.events')).toBe(2 * round + 2);
        expect(readdirSync(instance.directory.log).filter((name) => name.endsWith('.log')).length).toBe(1);
        expect(readdirSync(instance.directory.staging)).toEqual([]);
      });
    }
  });
});
