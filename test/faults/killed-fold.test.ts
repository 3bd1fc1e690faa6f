import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compactInstance } from '../../src/app/compact.ts';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import { query } from '../../src/app/query.ts';
import { reconcile } from '../../src/app/recon.ts';
import { reportCampaigns } from '../../src/app/report-campaigns.ts';
import { readRows } from '../../src/app/result-tables.ts';
import { exportInstanceLake } from '../../src/app/write-lake.ts';
import { foldSums } from '../../src/batches/fold-sums.ts';
import { SUM_TABLES } from '../../src/batches/sum-tables.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { brokenEquations, lakeState, readEveryTable, readStoredTables } from './every-table.ts';
import { type FaultyOptions, instanceOptions, SHIPPED_CONTRACTS, withInstance } from './open-instance.ts';
import { callsFor, makeSmallDay, RECEIVED_MICROS } from './small-day.ts';
import type { KilledWork } from './work-until-killed.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-folds-'));
const traffic = join(folder, 'traffic');
const before = join(folder, 'before');
const DAY_MICROS = 86_400_000_000;
const at = (days: number): FaultyOptions => ({ batchRecords: 20, nowMicros: RECEIVED_MICROS + days * DAY_MICROS });
/** Days on which the calls were made: the first are too old to be read as of each batch, and the very first as of its last one. */
const CALLED_ON = [0, 3, 5, 6];
const FOLDED_ON = at(6.5);
const KEEPING = { settings: { housekeeping: { as_of_hours: 24, as_of_days: 5 } } };
/** What readers see now and as of each batch. */
let now: Tables;
const asOf = new Map<number, Tables>();
let lastBatches: number[] = [];

beforeAll(async () => {
  await makeSmallDay(traffic);
  const calls = callsFor(traffic);
  expect(calls).toHaveLength(CALLED_ON.length);
  for (const [index, day] of CALLED_ON.entries())
    await withInstance(before, at(day), async (instance) => {
      await ingestFiles(instance, calls[index] ?? []);
      lastBatches = [...lastBatches, await lastBatch(instance)];
      if (index === 0) await exportInstanceLake(instance);
    });
  await withInstance(before, {}, async (instance) => {
    now = figures(await readEveryTable(instance));
    for (let batch = 1; batch <= (await lastBatch(instance)); batch++) asOf.set(batch, await readAsOf(instance, batch));
  });
  expect(asOf.size).toBeGreaterThan(20);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function lastBatch({ engine }: Instance): Promise<number> {
  return Number((await engine.rows('select max(batch_id) as last from ops.batches'))[0]?.['last']);
}

function figures(tables: Tables): Tables {
  return Object.fromEntries(Object.entries(tables).filter(([name]) => name !== 'ops.folds'));
}

async function readAsOf(instance: Instance, batch: number): Promise<Tables> {
  await instance.engine.setVariables({ asOf: batch });
  try {
    return figures(await readEveryTable(instance));
  } finally {
    await instance.engine.setVariables({ asOf: null });
  }
}

const compact = (instance: Instance) => compactInstance(instance, { fromBatches: 0 });
const copyOf = (data: string, name: string) => {
  cpSync(data, join(folder, name), { recursive: true });
  return join(folder, name);
};

/** Each batch, or each of some, can be read as it was, or is refused; those that are to stay can be read. Says which are refused. */
async function requireReadable(instance: Instance, keptBatches: readonly number[], every = 1): Promise<number[]> {
  const refused: number[] = [];
  for (const [batch, tables] of asOf) {
    if (batch % every !== 0 && !keptBatches.includes(batch)) continue;
    const read = await readAsOf(instance, batch).catch((error) => {
      expect(error).toMatchObject({ code: 'batch_folded' });
      refused.push(batch);
    });
    if (read !== undefined) expect(compareTables(tables, read), `as of batch ${batch}`).toBeNull();
  }
  expect(keptBatches.filter((batch) => refused.includes(batch))).toEqual([]);
  return refused;
}

describe('a fold', () => {
  it('changes no figure; batches of the last hours, the last of each day and that of the lake can still be read, and others say which can', async () => {
    const data = copyOf(before, 'folded');
    await withInstance(data, { ...FOLDED_ON, ...KEEPING }, async (instance) => {
      const { rows, into } = await foldSums({ engine: instance.engine, alone: (work) => work() }, { fromBatches: 1, sliceRows: 15 });
      expect(rows).toBeGreaterThan(into);
      expect((await instance.engine.rows('select distinct until_batch from store.campaign_hourly_folded')).length).toBeGreaterThan(5);
      expect(await requireReadable(instance, [])).toEqual([]);
      const { forgotten } = await compact(instance);
      expect(compareTables(now, figures(await readEveryTable(instance)))).toBeNull();
      const [lakeBatch, secondDay, thirdDay, last] = lastBatches as [number, number, number, number];
      const kept = [lakeBatch, secondDay, thirdDay, ...[...asOf.keys()].filter((batch) => batch > thirdDay)];
      const refused = await requireReadable(instance, kept);
      expect(refused).toEqual([...asOf.keys()].filter((batch) => !kept.includes(batch)));
      expect(forgotten).toBe(refused.length);
      expect(await brokenEquations(instance)).toEqual([]);
      expect(await lakeState(instance)).toMatchObject({ batch: lakeBatch, differences: [] });
      expect(await compact(instance)).toEqual({ rows: 0, into: 0, forgotten: 0 });
      const message = `batches ${secondDay + 1} to ${thirdDay - 1} any more: they were folded. The nearest batches that can be read are ${secondDay} before them, and ${thirdDay} after`;
      await expect(reportCampaigns(instance, { asOf: thirdDay - 1 })).rejects.toMatchObject({
        code: 'batch_folded',
        message: expect.stringContaining(message),
      });
      for (const table of ['campaign_hourly', 'campaign_daily', 'campaign_report', 'creative_daily', 'website_daily', 'auction_daily']) {
        const day = table === 'campaign_hourly' ? 'hour' : 'report_date';
        const nothing = query(instance, `select count(*) from gold.${table} where ${day} > date '2026-03-03'`, secondDay + 1);
        await expect(
          nothing.then(({ rows: found }) => readRows({ columns: [], rows: found })),
          table,
        ).rejects.toMatchObject({ code: 'batch_folded' });
      }
      await expect(query(instance, 'select * from silver.events', secondDay + 1)).resolves.toBeDefined();
      expect(last).toBeGreaterThan(thirdDay);
    });
  });

  it('leaves a lake that is written afterwards to be written where days changed, and nowhere else', async () => {
    const data = copyOf(before, 'lake');
    await withInstance(data, { ...FOLDED_ON, ...KEEPING }, async (instance) => {
      await exportInstanceLake(instance);
      await compact(instance);
      expect((await exportInstanceLake(instance)).tables.reduce((sum, { written, removed }) => sum + written + removed, 0)).toBe(0);
      const path = join(folder, 'one.jsonl');
      writeFileSync(path, '{"creative_id":"k","user_id":"u","timestamp":"2026-03-03T10:00:00Z","website":"w.example","campaign_id":"c"}\n');
      await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [path] }]);
      await compact(instance);
      const { tables } = await exportInstanceLake(instance);
      const written = Object.fromEntries(tables.map((table) => [table.name, table.written]));
      for (const name of ['gold.campaign_hourly', 'gold.creative_daily', 'gold.website_daily', 'silver.impressions'])
        expect(written, name).toMatchObject({ [name]: 1 });
      expect(written).toMatchObject({ 'gold.auction_daily': 0, 'gold.attribution': 0 });
      expect(await lakeState(instance)).toMatchObject({ batchesBehind: 0, differences: [] });
    });
  });

  it.each(SUM_TABLES.map(({ table }) => table.name))('that lost a row of %s is found by the equations', async (name) => {
    const data = copyOf(before, `broken-${name}`);
    await withInstance(data, { ...FOLDED_ON, ...KEEPING }, async (instance) => {
      await compact(instance);
      const measure = name === 'auction_daily' ? 'bid_requests' : 'impressions';
      expect(await instance.engine.run(`delete from store.${name} where rowid = (select max(rowid) from store.${name} where ${measure} > 0)`)).toBe(1);
      expect((await reconcile(instance)).filter(({ holds, equation }) => !holds && equation === 4).length).toBeGreaterThan(0);
    });
  });
});

describe('a fold that stops', () => {
  const STEPS = [
    'folding',
    'move folded rows',
    'add folded sums',
    'commit fold',
    'folded',
    'positions dropped',
    'forget batches',
    'commit forgetting',
    'forgotten',
  ];

  it.each(STEPS)('at “%s” has done a part or nothing of its work, never half of it, and the next one does the rest', async (step) => {
    const data = copyOf(before, `stopped-${step}`);
    const occurrence = ['positions dropped', 'forgotten'].includes(step) || step.startsWith('forget') || step.endsWith('forgetting') ? 1 : 2;
    let seen = 0;
    const onStep = (current: string) => {
      if (current === step && ++seen === occurrence) throw new Error('stop');
    };
    await withInstance(data, { ...FOLDED_ON, ...KEEPING, onStep }, async (instance) => {
      await expect(compact(instance)).rejects.toThrow('stop');
      await finish(instance);
    });
  });

  it.each([
    ['add folded sums', 3],
    ['folded', 1],
    ['commit forgetting', 1],
  ])('because its process was killed at “%s”, time %i, is taken up', async (step, occurrence) => {
    const data = copyOf(before, `killed-${step}`);
    const options = { ...FOLDED_ON, ...KEEPING };
    const { contracts: _, nowMicros: __, ...given } = instanceOptions(data, options);
    const work: KilledWork = {
      ...{ work: 'compact', step, occurrence, options: given, calls: [], contracts: [...SHIPPED_CONTRACTS], nowMicros: FOLDED_ON.nowMicros as number },
    };
    writeFileSync(`${data}.json`, JSON.stringify(work));
    const child = spawnSync(process.execPath, ['--no-warnings', join(import.meta.dirname, 'work-until-killed.ts'), `${data}.json`], { encoding: 'utf8' });
    expect(child.signal, child.stderr).toBe('SIGKILL');
    await withInstance(data, options, finish);
  });

  let undisturbed: Promise<Tables> | undefined;

  async function finish(instance: Instance): Promise<void> {
    undisturbed ??= withInstance(copyOf(before, 'undisturbed'), { ...FOLDED_ON, ...KEEPING }, async (other) => {
      await compact(other);
      return readStoredTables(other);
    });
    expect(compareTables(now, figures(await readEveryTable(instance)))).toBeNull();
    await requireReadable(instance, lastBatches, 9);
    expect(await brokenEquations(instance)).toEqual([]);
    await compact(instance);
    expect(compareTables(await undisturbed, await readStoredTables(instance))).toBeNull();
  }
});
