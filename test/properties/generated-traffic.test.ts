import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_ENCODING, EVENT_FEEDS, REFERENCE_FEEDS } from '../../src/domain/feeds.ts';
import { generateTraffic } from '../../src/generate/generate-traffic.ts';
import type { ReceivedFile } from '../reference/reference.ts';
import { DEFAULT_SETTINGS } from '../reference/words.ts';
import { withProduct } from './run-property.ts';
import { brokenSums } from './sums.ts';
import { differenceFromReference, productTables, referenceTables } from './tables.ts';

/**
 * Realistic traffic, with everything that goes wrong turned up, against the reference. Where the arbitrary traffic of the other
 * properties is dense in coincidences, this is long paths, late records, bursts of faults, and thousands of events in a batch.
 */
const START = '2026-03-09';
const RECEIVED_AT = BigInt(Date.parse('2026-04-20T00:00:00Z')) * 1000n;

let directory: string;
let files: ReceivedFile[];

beforeAll(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'advertisex-generated-')), 'traffic');
  const more = { clickRate: 0.12, conversionRate: 0.5, doubleClicks: 0.2, clickFloods: 0.02, bots: 0.1, viewThroughRate: 0.01 };
  const faults = { duplicateImpressions: 0.05, malformed: 0.03, malformedBurst: 5, idConflicts: 0.01, lateOverAnHour: 0.2, lateOverADay: 0.05 };
  await generateTraffic({
    directory,
    seed: 'reference',
    startDate: START,
    days: 3,
    events: 8_000,
    users: 300,
    campaigns: 6,
    sites: 12,
    filesPerFeed: 6,
    compression: 'gzip',
    avroCodec: 'deflate',
    rates: { ...more, ...faults, movedCreatives: 0.3, campaignOmitted: 0.3, foreignCurrency: 0.1, nullSpellings: 0.2, oddTimestamps: 0.4 },
  });
  files = await readFiles();
});

afterAll(() => rm(join(directory, '..'), { recursive: true, force: true }));

/** The generated files, feed by feed: reference data first, as the product takes it where it comes together with events. */
async function readFiles(): Promise<ReceivedFile[]> {
  const found: ReceivedFile[] = [];
  for (const feed of [...REFERENCE_FEEDS, ...EVENT_FEEDS]) {
    const isEvent = feed in DEFAULT_SETTINGS.feeds;
    const folder = join(directory, isEvent ? feed : 'reference');
    const names = (await readdir(folder)).filter((name) => isEvent || name.startsWith(`${feed}.`)).sort();
    for (const name of names) {
      const bytes = await readFile(join(folder, name));
      found.push({ feed, source: `${feed}/${name}`, bytes, encoding: DEFAULT_ENCODING[feed], receivedAtMicros: RECEIVED_AT, batch: 0 });
    }
  }
  return found;
}

test('is dense enough to mean something', () => {
  const tables = referenceTables(files, DEFAULT_SETTINGS);
  expect(tables['gold.attribution']!.length).toBeGreaterThan(200);
  expect(new Set(tables['ops.quarantine']!.map((row) => row['code'])).size).toBeGreaterThan(6);
  expect(new Set(tables['silver.clicks']!.map((row) => row['invalid_reasons'])).size).toBeGreaterThan(3);
});

test.each<[string, (file: ReceivedFile, i: number) => number]>([
  ['at once', () => 0],
  // Rates are needed when amounts come in; everything else may come in any order: here reference data last, and every third file before the others.
  ['in batches, reference data last', (file, i) => (file.feed === 'currency-rates' ? 0 : file.feed in DEFAULT_SETTINGS.feeds ? 1 + ((i * 2) % 3) : 4)],
])('gives the tables of the reference %s', async (_, batchOf) => {
  const arranged = files.map((file, i) => ({ ...file, batch: batchOf(file, i) })).sort((a, b) => a.batch - b.batch);
  await withProduct(DEFAULT_SETTINGS, async (product) => {
    for (const batch of new Set(arranged.map((file) => file.batch))) await product.ingest(arranged.filter((file) => file.batch === batch));
    expect(await differenceFromReference(product, arranged, DEFAULT_SETTINGS)).toBeNull();
    expect(brokenSums(await productTables(product))).toEqual([]);
    expect(await product.recon()).toEqual([]);
  });
});
