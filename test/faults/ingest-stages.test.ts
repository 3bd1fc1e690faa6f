import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestProgress, type IngestRequest, ingestFiles, ingestSources } from '../../src/app/ingest-files.ts';
import { openInstance } from '../../src/app/instance.ts';
import { SourceFiles } from '../../src/app/source-files.ts';
import { AdvertiseXError } from '../../src/domain/errors.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { brokenEquations, readEveryTable } from './every-table.ts';
import { BYTES_FOR_WORKERS, writeImpressions } from './large-day.ts';
import { instanceOptions, withInstance } from './open-instance.ts';
import { callsFor, makeSmallDay, requestsFor } from './small-day.ts';

/** Reference data and events in one call: events are decoded while reference data is applied, and applied after it. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-stages-'));
/** Of two files that have the same record, either is the first with two workers. */
const UNORDERED = ['batch_id', 'received_at', 'source', 'position'];
const REFERENCE = ['campaigns', 'creatives', 'currency-rates', 'users'];
const requests = {} as { small: IngestRequest[]; large: IngestRequest[] };
const oneByOne = {} as { small: Tables; large: Tables };

beforeAll(async () => {
  const traffic = await makeSmallDay(join(folder, 'traffic'));
  const events = join(folder, 'events');
  mkdirSync(events);
  writeImpressions(join(events, 'a.jsonl'), 0, 9_000);
  writeImpressions(join(events, 'b.jsonl'), 8_000, 16_000);
  for (let n = 0; n < 12; n++) writeImpressions(join(events, `c-${n}.jsonl`), 16_000 + n * 10, 16_010 + n * 10);
  requests.small = requestsFor(traffic);
  requests.large = [{ feed: 'ad-impressions', paths: [events] }, ...requestsFor(traffic)];
  expect(statSync(join(events, 'a.jsonl')).size).toBeGreaterThan(BYTES_FOR_WORKERS / 2);
  for (const [size, calls] of [
    ['small', callsFor(traffic)],
    ['large', [...callsFor(traffic), [{ feed: 'ad-impressions' as const, paths: [events] }]]],
  ] as const) {
    await withInstance(join(folder, `${size}-one-by-one`), {}, async (instance) => {
      for (const call of calls) await ingestFiles(instance, call);
      oneByOne[size] = figures(await readEveryTable(instance));
    });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What is said of events and reference data, whatever made which batch. */
function figures(tables: Tables): Tables {
  return Object.fromEntries(Object.entries(tables).filter(([name]) => !name.startsWith('ops.')));
}

describe.each([
  ['small', 1_000_000, 1],
  ['small', 40, 1],
  ['large', 1_000_000, 1],
  ['large', 500, 1],
  ['large', 500, 2],
] as const)('%s files in batches of %i records, decoded by %i workers,', (size, batchRecords, workers) => {
  const data = join(folder, `${size}-${batchRecords}-${workers}`);

  it('become batches one after the other: rates, other reference data, events', async () => {
    const steps: string[] = [];
    await withInstance(data, { batchRecords, workers, onStep: (step) => steps.push(step) }, async (instance) => {
      const { batches } = await ingestFiles(instance, requests[size]);
      expect(steps.filter((step) => step === 'begin' || step === 'committed')).toEqual(batches.flatMap(() => ['begin', 'committed']));
      const ledger = (await readEveryTable(instance))['ops.ledger'] ?? [];
      const ranks = ledger
        .toSorted((a, b) => Number(a['batch_id']) - Number(b['batch_id']))
        .map(({ feed }) => (feed === 'currency-rates' ? 0 : REFERENCE.includes(feed as string) ? 1 : 2));
      expect(ranks).toEqual(ranks.toSorted());
      expect(new Set(ranks)).toEqual(new Set([0, 1, 2]));
      expect(compareTables(oneByOne[size], figures(await readEveryTable(instance)), UNORDERED)).toBeNull();
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });
});

it('events are decoded while reference data is applied', async () => {
  const reference = requests.small.filter(({ feed }) => REFERENCE.includes(feed)).reduce((sum, { paths }) => sum + statSync(paths[0] as string).size, 0);
  let isApplying = false;
  const early: number[] = [];
  const onStep = (step: string) => {
    isApplying = step !== 'committed';
  };
  await withInstance(join(folder, 'early'), { onStep }, (instance) =>
    ingestFiles(instance, requests.small, ({ batches, bytesRead }: IngestProgress) => {
      if (isApplying && batches === 1 && bytesRead > reference) early.push(bytesRead);
    }),
  );
  expect(early).not.toEqual([]);
});

it('batches beside others are no larger than is asked for, and give the same figures', async () => {
  await withInstance(join(folder, 'bounded'), {}, async (instance) => {
    const sources = await SourceFiles.open(requests.large, 1);
    await ingestSources(instance, sources, undefined, { batchRecords: 3_000, lane: 7 });
    const [sizes] = await instance.engine.rows('select max(received) as largest, count(*) as batches from ops.batches');
    expect(Number(sizes?.['largest'])).toBeLessThanOrEqual(3_000);
    expect(Number(sizes?.['batches'])).toBeLessThan(12);
    expect(compareTables(oneByOne.large, figures(await readEveryTable(instance)), UNORDERED)).toBeNull();
    expect(await brokenEquations(instance)).toEqual([]);
  });
});

it('rates of a call hold for its events, and rates that are known already make no batch', async () => {
  const own = join(folder, 'rates');
  mkdirSync(own);
  const paths = (name: string, text: string) => {
    writeFileSync(join(own, name), text);
    return [join(own, name)];
  };
  const impression = { creative_id: 'c', user_id: 'ann', timestamp: '2026-03-02T10:00:00Z', website: 'news.example', price: 1, currency: 'EUR' };
  const given: IngestRequest[] = [
    { feed: 'ad-impressions', paths: paths('euros.jsonl', `${JSON.stringify(impression)}\n`) },
    { feed: 'currency-rates', paths: paths('rates.csv', 'rate_date,currency,rate\n2026-03-02,EUR,1.5\n') },
  ];
  await withInstance(join(own, 'data'), {}, async (instance) => {
    expect(await ingestFiles(instance, given)).toMatchObject({ batches: [1, 2], outcomes: { received: 2, accepted: 2 } });
    paths('euros.jsonl', `${JSON.stringify({ ...impression, user_id: 'bea' })}\n`);
    expect(await ingestFiles(instance, given)).toMatchObject({ batches: [3], outcomes: { received: 1, accepted: 1 } });
    expect((await readEveryTable(instance))['silver.impressions']?.map((row) => row['price_cpm_micros'])).toEqual([1_500_000n, 1_500_000n]);
  });
});

it.each([
  ['small', 40, 1],
  ['large', 500, 2],
] as const)(
  'an abort while reference data is applied stops there, and events that wait for it (%s files, batches of %i, %i workers)',
  async (size, batchRecords, workers) => {
    const stopping = new AbortController();
    const steps: string[] = [];
    const onStep = (step: string) => {
      steps.push(step);
      if (step === 'reference/campaigns') stopping.abort();
    };
    const data = join(folder, `aborted-${size}`);
    const instance = await openInstance({ ...instanceOptions(data, { batchRecords, workers, onStep }), signal: stopping.signal });
    try {
      await expect(ingestFiles(instance, requests[size])).rejects.toMatchObject({ code: 'interrupted' });
      expect(steps.at(-1)).toBe('reference/campaigns');
      expect(await instance.engine.rows('select count(*) as batches from ops.batches')).toEqual([{ batches: 1n }]);
    } finally {
      await instance.close();
    }
    expect(readdirSync(data).filter((name) => name !== 'archive')).toEqual(['advertisex.duckdb']);
  },
);

describe('what fails in reference data', () => {
  it.each([
    ['a batch of it', 'small', 40, 1],
    ['a batch of it', 'large', 500, 2],
  ] as const)('%s: no batch of events is begun, and the same call goes on (%s files, batches of %i, %i workers)', async (_, size, batchRecords, workers) => {
    const data = join(folder, `failing-${size}`);
    let begun = 0;
    const onStep = (step: string) => {
      if (step === 'begin') begun++;
      // Events wait by then.
      if (step === 'books' && begun === 2) throw new AdvertiseXError('disk_full', 'The disk is full', 'Make room.');
    };
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on('warning', onWarning);
    await withInstance(data, { batchRecords, workers, onStep }, async (instance) => {
      await expect(ingestFiles(instance, requests[size])).rejects.toMatchObject({ code: 'disk_full' });
      expect(begun).toBe(2);
      expect(new Set((await readEveryTable(instance))['ops.ledger']?.map(({ feed }) => feed))).toEqual(new Set(['currency-rates']));
    });
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    expect(readdirSync(data).filter((name) => name !== 'archive')).toEqual(['advertisex.duckdb']);
    await withInstance(data, { batchRecords, workers }, async (instance) => {
      await ingestFiles(instance, requests[size]);
      expect(compareTables(oneByOne[size], figures(await readEveryTable(instance)), UNORDERED)).toBeNull();
    });
  });

  it('a file of it: nothing of it and of events is taken', async () => {
    const creatives = join(folder, 'growing.csv');
    const given = requests.small.map((request) => {
      if (request.feed !== 'creatives') return request;
      copyFileSync(request.paths[0] as string, creatives);
      return { ...request, paths: [creatives] };
    });
    let isChanged = false;
    await withInstance(join(folder, 'growing'), { batchRecords: 40 }, async (instance) => {
      const ingesting = ingestFiles(instance, given, ({ stage }) => {
        if (stage !== 'looking' || isChanged) return;
        isChanged = true;
        appendFileSync(creatives, '\n');
      });
      await expect(ingesting).rejects.toMatchObject({ code: 'source_changed', message: expect.stringContaining(creatives) });
      const tables = await readEveryTable(instance);
      expect(tables['silver.events']).toEqual([]);
      expect(tables['ref.creatives']).toEqual([]);
    });
  });
});
