import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import type { Instance } from '../../src/app/instance.ts';
import { housekeepingJobs } from '../../src/app/live/housekeeping-jobs.ts';
import type { LivePipeline } from '../../src/app/live/live-pipeline.ts';
import { exportInstanceLake } from '../../src/app/write-lake.ts';
import type { Delivery } from '../../src/collector/collector.ts';
import { run } from '../faults/command-line.ts';
import { brokenEquations, lakeState } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { eventually, openSmallLive } from './open-small-live.ts';
import { startUp, stopUp } from './running-up.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-housekeeping-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NEVER = new AbortController().signal;
const jobOf = (instance: Instance, name: string, settleFromBytes?: number) => {
  const found = housekeepingJobs(instance, settleFromBytes === undefined ? {} : { settleFromBytes })
    .flat()
    .find((job) => job.name === name);
  if (found === undefined) throw new Error(`There is no job ${name}`);
  return found;
};

let sent = 0;
function delivery(records: number): Delivery {
  const lines = Array.from({ length: records }, () => {
    const number = sent++;
    const time = `2026-03-0${1 + (number % 3)}T1${number % 10}:00:00Z`;
    return JSON.stringify({
      impression_id: `i${number}`,
      creative_id: `k${number % 4}`,
      user_id: `u${number % 9}`,
      timestamp: time,
      website: 'w.example',
      campaign_id: 'c',
    });
  });
  return { feed: 'ad-impressions', encoding: 'json', delimiter: ',', body: Buffer.from(lines.join('\n')) };
}

/** Sends on and on while `work` is at work. */
async function whileTaking<T>(live: LivePipeline, work: () => Promise<T>): Promise<T> {
  let isOver = false;
  const sending = (async () => {
    while (!isOver) {
      await live.take(delivery(6));
      await wait(10);
    }
  })();
  try {
    return await work();
  } finally {
    isOver = true;
    await sending;
  }
}

const lastBatch = async ({ engine }: Instance) =>
  Number((await engine.withReader(null, (reader) => reader.rows('select coalesce(max(batch_id), 0) as last from store.batches')))[0]?.['last']);
/** So that something happens beside what is tested. */
const someBatches = async (instance: Instance) => {
  const until = (await lastBatch(instance)) + 3;
  await eventually(async () => (await lastBatch(instance)) >= until);
};

it('writes a lake beside batches that is the tables as of one of them, and folds what they bring', async () => {
  await withInstance(join(folder, 'beside'), {}, async (instance) => {
    const { live, events } = await openSmallLive(instance);
    const [lake, fold] = [jobOf(instance, 'lake'), jobOf(instance, 'fold')];
    await whileTaking(live, async () => {
      for (let round = 0; round < 2; round++) {
        await someBatches(instance);
        await Promise.all([lake.work(NEVER), someBatches(instance)]);
        expect((await lakeState(instance)).differences).toEqual([]);
        // The lake's batch is another one by now, and sums were folded beyond it.
        await fold.work(NEVER);
        expect((await lakeState(instance)).differences).toEqual([]);
      }
      while ((await instance.engine.withReader(null, (reader) => reader.rows('select 1 as folded from store.campaign_hourly_folded limit 1'))).length === 0) {
        await someBatches(instance);
        await fold.work(NEVER);
      }
    });
    await live.stop();
    expect(events.filter(({ what }) => what === 'failed')).toEqual([]);
    await exportInstanceLake(instance);
    expect(await lakeState(instance)).toMatchObject({ batchesBehind: 0, differences: [] });
    expect(await brokenEquations(instance)).toEqual([]);
    const [figures] = await instance.engine.rows('select sum(impressions)::bigint as n from gold.campaign_daily');
    expect(figures).toEqual({ n: BigInt(sent) });
    // How far the log is taken is said once, and not once a batch.
    await fold.work(NEVER);
    expect(await instance.engine.rows('select feed, next_record from store.source_positions')).toEqual([{ feed: 'ad-impressions', next_record: BigInt(sent) }]);
  });
});

it('stops writing the lake when it is told to, and the next export does the rest', async () => {
  await withInstance(join(folder, 'stopped'), {}, async (instance) => {
    const { live } = await openSmallLive(instance);
    await live.take(delivery(50));
    await live.stop();
    const stopping = new AbortController();
    stopping.abort();
    await expect(jobOf(instance, 'lake').work(stopping.signal)).rejects.toMatchObject({ code: 'interrupted' });
    expect(existsSync(join(instance.directory.lake, '_manifest.json'))).toBe(false);
    await jobOf(instance, 'lake').work(NEVER);
    expect(await lakeState(instance)).toMatchObject({ batchesBehind: 0, differences: [] });
  });
});

it('puts in order what batches wrote once it is enough, beside readers and batches', async () => {
  await withInstance(join(folder, 'settled'), {}, async (instance) => {
    const { engine } = instance;
    const { live, events } = await openSmallLive(instance);
    await jobOf(instance, 'settle', 1).work(NEVER);
    await live.take(delivery(50));
    await whileTaking(live, async () => {
      await eventually(async () => (await engine.unsettledBytes()) > 1_000);
      const before = await engine.unsettledBytes();
      await jobOf(instance, 'settle', 2 ** 30).work(NEVER);
      expect(await engine.unsettledBytes()).toBeGreaterThanOrEqual(before);
    });
    await live.stop();
    const before = await engine.unsettledBytes();
    expect(before).toBeGreaterThan(0);
    await engine.withReader(null, async (reader) => {
      const seen = await reader.rows('select count(*) as n from silver.impressions');
      await jobOf(instance, 'settle', before).work(NEVER);
      expect(await engine.unsettledBytes()).toBeLessThan(before);
      expect(await reader.rows('select count(*) as n from silver.impressions')).toEqual(seen);
    });
    expect(events.filter(({ what }) => what === 'failed')).toEqual([]);
  });
});

it('up writes the lake while it runs', async () => {
  const data = join(folder, 'up');
  const up = await startUp(data, { ADVERTISEX_LAKE_EVERY_SECONDS: '1' });
  const answer = await fetch(`${up.url}/v1/events/ad-impressions`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: Buffer.from(delivery(5).body),
  });
  expect(answer.status).toBe(200);
  await eventually(() => existsSync(join(data, 'lake', 'gold.campaign_hourly', 'dt=2026-03-01')));
  expect((await run(['recon', '--data', data])).status).toBe(0);
  await stopUp(up);
});
