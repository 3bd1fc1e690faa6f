import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import type { LivePipeline } from '../../src/app/live/live-pipeline.ts';
import { PipeSource } from '../../src/app/live/pipe-source.ts';
import { EVENT_FEEDS, type Feed, REFERENCE_FEEDS } from '../../src/domain/feeds.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { callsFor, filesOf, makeSmallDay } from '../faults/small-day.ts';
import { eventually, openSmallLive } from './open-small-live.ts';
import { openSmallSources } from './open-small-sources.ts';
import { deliveries, figures } from './small-day-figures.ts';

/** The same day by every way there is: the tables are the same, to the last micro, and so is what is in quarantine. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-ways-'));
const traffic = join(folder, 'traffic');
let expected: Awaited<ReturnType<typeof figures>>;
beforeAll(async () => {
  await makeSmallDay(traffic);
  expected = await withInstance(join(folder, 'files'), {}, async (instance) => {
    for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
    return figures(instance);
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

const referenceFile = (feed: Feed) => join(traffic, 'reference', `${feed}.csv`);

/** Amounts are converted by the rates that are there: they are there before any event is. */
async function ratesAreThere(instance: Instance): Promise<void> {
  const rates = () => instance.batches.alone(() => instance.engine.rows('select count(*) as n from ref.currency_rates'));
  await eventually(async () => Number((await rates())[0]?.['n']) > 0);
  await wait(100);
}

async function expectSame(instance: Instance): Promise<void> {
  expect(await figures(instance)).toEqual(expected);
  expect(await brokenEquations(instance)).toEqual([]);
}

it('through watched folders', async () => {
  const incoming = (feed: Feed) => join(folder, 'in', feed);
  const feeds = [...REFERENCE_FEEDS, ...EVENT_FEEDS];
  for (const feed of feeds) mkdirSync(incoming(feed), { recursive: true });
  await withInstance(join(folder, 'folders'), {}, async (instance) => {
    const { sources, stop } = await openSmallSources(
      instance,
      feeds.map((feed) => ({ feed, path: incoming(feed) })),
    );
    for (const feed of REFERENCE_FEEDS) copyFileSync(referenceFile(feed), join(incoming(feed), 'all.csv'));
    await ratesAreThere(instance);
    for (const feed of EVENT_FEEDS) for (const path of filesOf(traffic, feed)) copyFileSync(path, join(incoming(feed), basename(path)));
    const files = REFERENCE_FEEDS.length + EVENT_FEEDS.flatMap((feed) => filesOf(traffic, feed)).length;
    await eventually(() => sources.status().reduce((sum, { takenFiles }) => sum + takenFiles, 0) === files);
    await stop();
    await expectSame(instance);
  });
});

it('through pipes', async () => {
  await withInstance(join(folder, 'pipes'), {}, async (instance) => {
    const { live } = await openSmallLive(instance);
    for (const feed of REFERENCE_FEEDS) await pipe(instance, live, feed, referenceFile(feed));
    await ratesAreThere(instance);
    await Promise.all(EVENT_FEEDS.flatMap((feed) => filesOf(traffic, feed).map((path) => pipe(instance, live, feed, path))));
    await live.stop();
    await expectSame(instance);
  });
});

/** In parts that end anywhere. */
async function pipe(instance: Instance, live: LivePipeline, feed: Feed, path: string): Promise<void> {
  const input = new PassThrough();
  const sleep = (milliseconds: number) => wait(Math.min(20, milliseconds)).then(() => undefined);
  const source = new PipeSource(instance, { feed, input, collector: live, onEvent: () => undefined, sleep });
  source.start();
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 777) {
    if (!input.write(bytes.subarray(at, at + 777))) await new Promise((resolve) => input.once('drain', resolve));
    if (at % 5 === 0) await wait(1);
  }
  input.end();
  await source.ended;
}

it('by all ways at once', async () => {
  const incoming = join(folder, 'mixed');
  mkdirSync(incoming);
  await withInstance(join(folder, 'all'), {}, async (instance) => {
    const { live, stop, of } = await openSmallSources(instance, [{ feed: 'clicks-conversions', path: incoming }]);
    const sent = deliveries(traffic);
    for (const delivery of sent.slice(0, REFERENCE_FEEDS.length)) await live.take(delivery);
    await ratesAreThere(instance);
    const clicks = filesOf(traffic, 'clicks-conversions');
    for (const path of clicks) copyFileSync(path, join(incoming, basename(path)));
    await Promise.all([
      ...sent.filter(({ feed }) => feed === 'ad-impressions').map((delivery) => live.take(delivery)),
      ingestFiles(instance, [{ feed: 'bid-requests', paths: [join(traffic, 'bid-requests')] }]),
    ]);
    await eventually(() => of('/mixed').takenFiles === clicks.length);
    await stop();
    await expectSame(instance);
  });
});
