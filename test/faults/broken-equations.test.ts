import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { reconcile } from '../../src/app/recon.ts';
import { exportInstanceLake } from '../../src/app/write-lake.ts';
import { loadModels } from '../../src/batches/models.ts';
import { withInstance } from './open-instance.ts';
import { callsFor, makeSmallDay } from './small-day.ts';

/** An equation that nothing can break proves nothing: each is broken here, by the damage that it is there to find. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-equations-'));
const whole = join(folder, 'whole');
afterAll(() => rmSync(folder, { recursive: true }));

const ANY = 'rowid = (select min(rowid) from';
const DAMAGE: Readonly<Record<string, string>> = {
  outcomes: `update store.ledger set received = received + 1 where ${ANY} store.ledger)`,
  quarantine: `delete from store.quarantine where ${ANY} store.quarantine)`,
  accepted: `delete from store.conversions where ${ANY} store.conversions)`,
  exposures: `update store.exposures set price_cpm_micros = coalesce(price_cpm_micros, 0) + 1 where ${ANY} store.exposures)`,
  'unique-keys': `insert into store.clicks select * from store.clicks where ${ANY} store.clicks)`,
  validity: `update store.clicks set invalid_reasons = 'double_click' where ${ANY} store.clicks where valid)`,
  'campaign-sums': `update store.campaign_hourly set valid_clicks = valid_clicks + 1 where ${ANY} store.campaign_hourly)`,
  'daily-sums': `update store.website_daily set impressions = impressions + 1 where ${ANY} store.website_daily)`,
  credit: `update store.attribution set linear_ppm = linear_ppm - 1 where ${ANY} store.attribution)`,
  'touch-times': `update store.attribution set touch_time = conversion_time + interval 1 second where ${ANY} store.attribution where touch_key is not null)`,
  'click-matches': `update store.clicks set impression_key = event_key where ${ANY} store.clicks)`,
  lake: `delete from store.conversions where ${ANY} store.conversions)`,
};

beforeAll(async () => {
  const traffic = join(folder, 'traffic');
  await makeSmallDay(traffic);
  await withInstance(whole, {}, async (instance) => {
    for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
    await exportInstanceLake(instance);
    expect((await reconcile(instance)).filter(({ holds }) => !holds)).toEqual([]);
  });
});

it('has a damage for every equation', () => {
  const checks = [...loadModels().values()].filter(({ kind }) => kind === 'check').map(({ name }) => name);
  expect(Object.keys(DAMAGE).sort()).toEqual([...checks, 'lake'].sort());
});

it.each(Object.entries(DAMAGE))('finds %s broken, and says where', async (name, damage) => {
  const damaged = join(folder, name);
  cpSync(whole, damaged, { recursive: true });
  await withInstance(damaged, {}, async (instance) => {
    expect(await instance.engine.run(damage)).toBe(1);
    const broken = (await reconcile(instance)).find((equation) => equation.name === name);
    expect(broken?.holds).toBe(false);
    expect(broken?.brokenRows).toBeGreaterThan(0);
  });
});
