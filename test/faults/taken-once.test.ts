import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestSummary, ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import { replayQuarantine } from '../../src/app/quarantine.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { brokenEquations, readEveryTable, readStoredTables } from './every-table.ts';
import { withInstance } from './open-instance.ts';
import { callsFor, filesOf, makeSmallDay, RECEIVED_MICROS } from './small-day.ts';

/** Whatever is sent again, moved, changed or taken in pieces: each record counts once, and none is left out. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-taken-once-'));
afterAll(() => rmSync(folder, { recursive: true }));
let traffic: string;
let impressions: string;
let made = 0;

beforeAll(async () => {
  traffic = await makeSmallDay(join(folder, 'traffic'));
  impressions = filesOf(traffic, 'ad-impressions')[0] as string;
});

/** A file of impressions of its own, and a data directory. */
function fresh(): { file: string; data: string; beside: (name: string) => string } {
  const own = join(folder, `run-${++made}`);
  mkdirSync(own);
  const file = join(own, 'impressions.jsonl');
  copyFileSync(impressions, file);
  return { file, data: join(own, 'data'), beside: (name) => join(own, name) };
}

const take = (instance: Instance, ...paths: string[]): Promise<IngestSummary> => ingestFiles(instance, [{ feed: 'ad-impressions', paths }]);
const states = ({ files }: IngestSummary) => files.map(({ state, outcomes }) => `${state} ${outcomes.received}`);

async function undisturbed(path: string): Promise<Tables> {
  return withInstance(join(folder, `undisturbed-${++made}`), {}, async (instance) => {
    await take(instance, path);
    return readEveryTable(instance);
  });
}

/** What is said of events, whoever brought them. */
function figures(tables: Tables): Tables {
  return Object.fromEntries(Object.entries(tables).filter(([name]) => !name.startsWith('ops.')));
}

describe('a file that was taken', () => {
  it('is left alone under its path, as a copy and under another name', async () => {
    const { file, data, beside } = fresh();
    await withInstance(data, {}, async (instance) => {
      const first = await take(instance, file);
      expect(states(first)).toEqual([`taken ${first.outcomes.received}`]);
      expect(first.outcomes.quarantined).toBeGreaterThan(0);
      const before = await readStoredTables(instance);
      copyFileSync(file, beside('copy.jsonl'));
      expect(states(await take(instance, file))).toEqual([`known ${first.outcomes.received}`]);
      expect(states(await take(instance, beside('copy.jsonl'), file))).toEqual([`known ${first.outcomes.received}`, `known ${first.outcomes.received}`]);
      renameSync(file, beside('renamed'));
      expect((await take(instance, beside('renamed'))).batches).toEqual([]);
      expect(compareTables(before, await readStoredTables(instance))).toBeNull();
    });
  });

  it('is taken once where two copies of it are given at once', async () => {
    const { file, data, beside } = fresh();
    copyFileSync(file, beside('copy.jsonl'));
    await withInstance(data, {}, async (instance) => {
      const summary = await take(instance, file, beside('copy.jsonl'));
      expect(summary.files.map(({ state }) => state)).toEqual(['taken', 'known']);
      expect(summary.files[1]?.outcomes).toEqual(summary.files[0]?.outcomes);
      expect(summary.outcomes.received).toBe(readFileSync(file, 'utf8').trimEnd().split('\n').length);
    });
  });

  it('is taken under the first of several paths, whatever is as long as it, and again for another feed', async () => {
    const { file, data, beside } = fresh();
    const text = readFileSync(file, 'utf8');
    writeFileSync(beside('a-as-long.jsonl'), text.replaceAll('2026-03-0', '2026-02-0'));
    for (const name of ['b.jsonl', 'c.jsonl']) copyFileSync(file, beside(name));
    const records = text.trimEnd().split('\n').length;
    const requests = (['clicks-conversions', 'ad-impressions'] as const).map((feed) => ({
      feed,
      paths: ['a-as-long.jsonl', 'b.jsonl', 'c.jsonl'].map(beside),
    }));
    const described = ({ files }: IngestSummary) => files.map(({ feed, path, state, outcomes }) => [feed, basename(path), state, outcomes.received]);
    await withInstance(data, {}, async (instance) => {
      expect(described(await ingestFiles(instance, requests))).toEqual([
        ...['ad-impressions', 'clicks-conversions'].flatMap((feed) => ['a-as-long.jsonl', 'b.jsonl'].map((name) => [feed, name, 'taken', records])),
        ...['ad-impressions', 'clicks-conversions'].map((feed) => [feed, 'c.jsonl', 'known', records]),
      ]);
      const files = (await readEveryTable(instance))['ops.files'] ?? [];
      expect(files.map((row) => [row['feed'], basename(String(row['path']))]).sort()).toEqual(
        ['ad-impressions', 'clicks-conversions'].flatMap((feed) => ['a-as-long.jsonl', 'b.jsonl'].map((name) => [feed, name])),
      );
    });
  });

  it('changes nothing but the books when its records come once more in another file', async () => {
    const { data, beside } = fresh();
    const everything = async (instance: Instance) => {
      for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
    };
    await withInstance(data, {}, async (instance) => {
      await everything(instance);
      const before = await readEveryTable(instance);
      const again: IngestSummary[] = [];
      for (const feed of ['ad-impressions', 'clicks-conversions'] as const) {
        const [path] = filesOf(traffic, feed);
        writeFileSync(beside(feed), `${readFileSync(path as string, 'utf8')}\n`);
        again.push(await ingestFiles(instance, [{ feed, paths: [beside(feed)] }]));
      }
      for (const { outcomes, restated } of again) {
        expect(outcomes).toMatchObject({ accepted: 0, duplicate: expect.toSatisfy((count) => count > 20) });
        expect(restated).toBe(0);
      }
      expect(compareTables(figures(before), figures(await readEveryTable(instance)))).toBeNull();
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });
});

describe('a file that changes while it is read', () => {
  const line = JSON.stringify({ creative_id: 'late', user_id: 'late', timestamp: '2026-03-03T00:00:00Z', website: 'late.example' });
  const changes: [string, (file: string) => void, string][] = [
    ['grows', (file) => appendFileSync(file, `${line}\n`), 'source_changed'],
    ['grows by half a record', (file) => appendFileSync(file, line.slice(0, 30)), 'source_changed'],
    ['is cut', (file) => truncateSync(file, 2_000), 'source_changed'],
    ['gets other bytes of the same length', (file) => writeFileSync(file, readFileSync(file, 'utf8').replaceAll('2026-03-02', '2026-03-03')), 'source_changed'],
    ['is removed', (file) => unlinkSync(file), 'source_unreadable'],
  ];

  it.each(changes)('before it is known, and %s, is not taken', async (_, change, code) => {
    const { file, data } = fresh();
    await withInstance(data, {}, async (instance) => {
      const once = onFirst('looking', () => change(file));
      await expect(ingestFiles(instance, [{ feed: 'ad-impressions', paths: [file] }], once)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(file),
        remedy: expect.stringContaining('same command again'),
      });
      expect((await readStoredTables(instance))['store.batches']).toEqual([]);
      if (code === 'source_unreadable') return;
      await take(instance, file);
      expect(compareTables(await undisturbed(file), await readEveryTable(instance), ['source'])).toBeNull();
    });
  });

  it.each(changes)('after its first batch, and %s, keeps that batch, and loses nothing', async (_, change, code) => {
    const { file, data } = fresh();
    await withInstance(data, { batchRecords: 40 }, async (instance) => {
      const once = onFirst('ingesting', () => change(file), 2);
      await expect(ingestFiles(instance, [{ feed: 'ad-impressions', paths: [file] }], once)).rejects.toMatchObject({ code });
      const batches = (await readStoredTables(instance))['store.batches']?.length;
      expect(batches).toBeGreaterThan(0);
      expect(batches).toBeLessThan(4);
      expect(await brokenEquations(instance)).toEqual([]);
      if (code === 'source_unreadable') return;
      await take(instance, file);
      expect(await brokenEquations(instance)).toEqual([]);
      // Every record of the file as it is now is there; what was taken before it changed is there too.
      const now = await undisturbed(file);
      const keys = new Set((await readEveryTable(instance))['silver.impressions']?.map((row) => row['event_key']));
      for (const row of now['silver.impressions'] ?? []) expect(keys).toContain(row['event_key']);
    });
  });
});

describe('a file that was stopped half-way', () => {
  /** Takes the first batches of the file. */
  const takeSome = (data: string, file: string, batches: number) => {
    let begun = 0;
    const onStep = (step: string) => {
      if (step === 'begin' && ++begun > batches) throw new Error('stopped');
    };
    return withInstance(data, { batchRecords: 40, onStep }, (instance) => take(instance, file).catch(() => undefined));
  };

  it.each([1, 2, 3])('goes on with the record after batch %i, and so under another path', async (batches) => {
    const { file, data, beside } = fresh();
    const expected = await undisturbed(file);
    await takeSome(data, file, batches);
    renameSync(file, beside('moved.jsonl'));
    await withInstance(data, { batchRecords: 40, nowMicros: RECEIVED_MICROS + 3_600_000_000 }, async (instance) => {
      const summary = await take(instance, beside('moved.jsonl'));
      expect(summary.files).toMatchObject([
        {
          state: 'taken',
          complete: true,
          outcomes: { received: expected['ops.files']?.[0]?.['records'] === undefined ? 0 : Number(expected['ops.files'][0]['records']) },
        },
      ]);
      expect(summary.outcomes.duplicate).toBeLessThan(10);
      const found = await readEveryTable(instance);
      for (const table of ['silver.impressions', 'ops.quarantine', 'gold.campaign_hourly', 'gold.website_daily', 'ops.schema_drift']) {
        expect(compareTables({ [table]: expected[table] ?? [] }, found, ['batch_id', 'source', 'quarantine_id'])).toBeNull();
      }
      expect(new Set(found['silver.impressions']?.map((row) => row['source']))).toEqual(new Set([file]));
      expect(await brokenEquations(instance)).toEqual([]);
      expect(states(await take(instance, beside('moved.jsonl')))).toMatchObject([expect.stringMatching(/^known/)]);
    });
  });

  it('goes on beside another file that stands at its path by now', async () => {
    const { file, data, beside } = fresh();
    await takeSome(data, file, 2);
    renameSync(file, beside('moved.jsonl'));
    const lines = readFileSync(impressions, 'utf8').trimEnd().split('\n');
    // As many records as were taken already, so that both have records at the same places.
    writeFileSync(file, `${lines.map((text) => text.replaceAll('2026-03-0', '2026-02-0')).join('\n')}\n`);
    await withInstance(data, { batchRecords: 1_000, nowMicros: RECEIVED_MICROS + 1 }, async (instance) => {
      const summary = await take(instance, file, beside('moved.jsonl'));
      const [replaced, moved] = [file, beside('moved.jsonl')].map((path) => summary.files.find((taken) => taken.path === path));
      expect(replaced).toMatchObject({ state: 'taken', outcomes: { received: lines.length } });
      expect(moved).toMatchObject({ state: 'taken', outcomes: { received: lines.length } });
      expect(summary.outcomes.received).toBe(2 * lines.length - 80);
      expect(await brokenEquations(instance)).toEqual([]);
      const files = (await readEveryTable(instance))['ops.files'] ?? [];
      expect(files.map((row) => [row['records'], row['done']])).toEqual([
        [BigInt(lines.length), true],
        [BigInt(lines.length), true],
      ]);
    });
  });
});

describe('a record in quarantine', () => {
  it('is replayed at most once to success, though another one came from the same place', async () => {
    const data = join(folder, `run-${++made}`);
    const record = (currency: string, user: string) =>
      `${JSON.stringify({ creative_id: 'c', user_id: user, timestamp: '2026-03-02T10:00:00Z', website: 'news.example', price: 1, currency })}\n`;
    const send = (name: string, text: string, nowMicros: number) => {
      writeFileSync(join(folder, name), text);
      return withInstance(data, { nowMicros }, (instance) =>
        ingestFiles(instance, [{ feed: 'ad-impressions', paths: [join(folder, name)], sourceName: 'stdin' }]),
      );
    };
    await send('euros.json', record('EUR', 'ann'), RECEIVED_MICROS);
    await send('pounds.json', record('GBP', 'bea'), RECEIVED_MICROS + 1_000_000);
    await send('crowns.json', record('CZK', 'cem'), RECEIVED_MICROS + 2_000_000);
    writeFileSync(join(folder, 'rates.csv'), 'rate_date,currency,rate\n2026-03-02,EUR,1.1\n');
    await withInstance(data, { nowMicros: RECEIVED_MICROS + 3_000_000 }, async (instance) => {
      await ingestFiles(instance, [{ feed: 'currency-rates', paths: [join(folder, 'rates.csv')] }]);
      expect(await replayQuarantine(instance, {})).toMatchObject({ replayed: 3, accepted: 1, stillQuarantined: 2 });
      expect(await brokenEquations(instance)).toEqual([]);
      expect(await replayQuarantine(instance, {})).toMatchObject({ replayed: 2, accepted: 0, duplicate: 0, stillQuarantined: 2 });
      const { 'ops.quarantine': quarantine = [], 'silver.impressions': accepted = [] } = await readEveryTable(instance);
      expect(quarantine.filter((row) => row['replayed_at'] !== null).map((row) => Buffer.from(String(row['raw']), 'hex').toString())).toEqual([
        record('EUR', 'ann').trimEnd(),
      ]);
      expect(accepted.map((row) => row['user_id'])).toEqual(['ann']);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });
});

/** Calls once, at the how manieth report of the stage. */
function onFirst(stage: string, change: () => void, report = 1): (progress: { readonly stage: string }) => void {
  let reports = 0;
  return (progress) => {
    if (progress.stage === stage && ++reports === report) change();
  };
}
