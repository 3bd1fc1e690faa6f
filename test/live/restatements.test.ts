import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Instance, openInstance } from '../../src/app/instance.ts';
import type { EngineRow } from '../../src/engines/engine.ts';
import { expectFailure, run } from '../faults/command-line.ts';
import { instanceOptions } from '../faults/open-instance.ts';
import { eventually } from './open-small-live.ts';
import { startUp, stopUp } from './running-up.ts';

/** What comes late changes figures that were there, while `up` runs; other processes read them as they were before, and why they changed. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-restated-'));
const data = join(folder, 'data');
let reader: Instance;
let up: Awaited<ReturnType<typeof startUp>>;
beforeAll(async () => {
  up = await startUp(data);
  reader = await openInstance(instanceOptions(data, { access: 'read' }));
});
afterAll(async () => {
  await reader.close();
  up.child.kill('SIGKILL');
  await up.ended;
  rmSync(folder, { recursive: true });
});

const asOf = (batch?: number) => (batch === undefined ? [] : ['--as-of', `${batch}`]);
/** By another process, with the command. */
const json = async (...words: string[]) => {
  const { status, stdout, stderr } = await run([...words, '--format', 'json', '--data', data]);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>[];
};
/** Gross impressions, clicks, and conversions credited by the last touch, by campaign. */
const report = async (batch?: number) =>
  Object.fromEntries(
    (await json('report', 'campaigns', ...asOf(batch))).map(({ campaign_id, impressions, clicks, conversions }) => [
      campaign_id ?? 'unresolved',
      [Number(impressions), Number(clicks), Number(conversions)],
    ]),
  );
/** By this process, which is another one too: a command for each question takes its time. */
async function rows(sql: string, batch?: number): Promise<EngineRow[]> {
  await reader.engine.setVariables({ asOf: batch ?? null });
  return reader.engine.rows(sql);
}
const credits = (batch?: number) => rows('select touch_type, campaign_id, last_touch_ppm from gold.attribution where last_touch_ppm > 0 order by all', batch);
const lastBatch = async () => Number((await rows('select coalesce(max(batch_id), 0) as batch from ops.batches'))[0]?.['batch']);
/** Tables of which rows were restated after a batch, with the causes. */
const restatedSince = async (batch: number) =>
  (await rows(`select distinct table_name, cause from ops.restatements where batch_id > ${batch} order by all`)).map(
    ({ table_name, cause }) => `${table_name}: ${cause}`,
  );

/** Sends one record, and waits until it is in the tables: the batch that it is in. */
async function take(feed: string, record: object): Promise<number> {
  const before = await lastBatch();
  const answer = await fetch(`${up.url}/v1/events/${feed}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(record),
  });
  expect(answer.status).toBe(200);
  await eventually(async () => (await lastBatch()) > before);
  return lastBatch();
}

const impression = (id: string, time: string, campaign?: string) => ({
  ...{ impression_id: id, creative_id: 'banner', user_id: 'ann', timestamp: `2026-03-02T${time}Z`, website: 'news.example' },
  ...(campaign === undefined ? {} : { campaign_id: campaign }),
});
const response = (type: string, time: string) => ({ timestamp: `2026-03-02T${time}Z`, user_id: 'ann', campaign_id: 'spring', conversion_type: type });

it('a conversion that comes before its click, and a click that comes before its impression', async () => {
  const converted = await take('clicks-conversions', { ...response('purchase', '12:00:00'), value: '10.00' });
  expect(await credits()).toEqual([{ touch_type: null, campaign_id: 'spring', last_touch_ppm: 1_000_000n }]);

  const clicked = await take('clicks-conversions', response('click', '11:00:00'));
  expect(await credits()).toEqual([{ touch_type: 'click', campaign_id: 'spring', last_touch_ppm: 1_000_000n }]);
  expect(await restatedSince(converted)).toEqual(['attribution: late']);
  expect(await report()).toEqual({ spring: [0, 1, 1] });

  const orphan = 'select impression_key is null as is_orphan from silver.clicks';
  expect(await rows(orphan)).toEqual([{ is_orphan: true }]);
  await take('ad-impressions', impression('early', '10:59:00', 'spring'));
  expect(await rows(orphan)).toEqual([{ is_orphan: false }]);
  expect(await restatedSince(clicked)).toEqual(['clicks: late']);
  expect(await report()).toEqual({ spring: [1, 1, 1] });

  // As it was before each of them: in another process, through the one that runs.
  expect(await credits(converted)).toEqual([{ touch_type: null, campaign_id: 'spring', last_touch_ppm: 1_000_000n }]);
  expect(await report(clicked)).toEqual({ spring: [0, 1, 1] });
  expect(await json('query', orphan, '--as-of', `${clicked}`)).toEqual([{ is_orphan: true }]);
});

it('an earlier click that makes a valid one a double click', async () => {
  const before = await lastBatch();
  const valid = "select strftime(event_time, '%X') as time, valid from silver.clicks order by event_time";
  const half = await take('clicks-conversions', { ...response('click', '10:59:59.500'), event_id: 'half-a-second-before' });
  expect(await rows(valid)).toEqual([
    { time: '10:59:59', valid: true },
    { time: '11:00:00', valid: false },
  ]);
  expect(await rows(valid, before)).toEqual([{ time: '11:00:00', valid: true }]);
  expect(await restatedSince(before)).toEqual(['attribution: late', 'clicks: late']);
  expect(half).toBeGreaterThan(before);
});

it('a creative of another campaign than was known', async () => {
  const creative = (campaign: string) => ({ creative_id: 'banner', campaign_id: campaign, name: 'Banner' });
  const unknown = await take('ad-impressions', impression('seen', '13:00:00'));
  const before = await report();
  const { spring } = before;
  expect(before).toEqual({ spring, unresolved: [1, 0, 0] });

  const first = await take('creatives', creative('summer'));
  expect(await report()).toEqual({ spring, summer: [1, 0, 0] });
  const second = await take('creatives', creative('autumn'));
  expect(await report()).toEqual({ spring, autumn: [1, 0, 0] });

  expect(await report(unknown)).toEqual(before);
  expect(await report(first)).toEqual({ spring, summer: [1, 0, 0] });
  for (const batch of [unknown, first]) expect((await restatedSince(batch)).every((row) => row.endsWith(': reference'))).toBe(true);
  expect(await restatedSince(first)).toEqual(expect.arrayContaining(['impressions: reference']));
  expect(await rows(`select cause, restated > 0 as restated from ops.batches where batch_id = ${second}`)).toEqual([{ cause: 'reference', restated: true }]);
});

it('all of it holds, and stays readable once the process has stopped', async () => {
  const now = await report();
  const first = await report(1);
  expectFailure(await run(['report', 'campaigns', '--as-of', '1000', '--data', data]), 2, 'not_found', /no batch 1000/);
  expect((await run(['recon', '--data', data])).status).toBe(0);
  await stopUp(up);
  expect((await run(['recon', '--data', data])).status).toBe(0);
  expect(await report()).toEqual(now);
  expect(await report(1)).toEqual(first);
});
