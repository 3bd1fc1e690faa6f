import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import type { Instance } from '../../src/app/instance.ts';
import { replayQuarantine } from '../../src/app/quarantine.ts';
import { rebuild } from '../../src/app/rebuild.ts';
import { exportInstanceLake } from '../../src/app/write-lake.ts';
import { DERIVE_STEPS, FILTER_STEPS, IDENTIFY_STEPS, QUARANTINE_STEPS, REFERENCE_STEPS } from '../../src/batches/steps.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { brokenEquations, lakeState, readEveryTable, readStoredTables, strayArchiveFiles } from './every-table.ts';
import { type FaultyOptions, instanceOptions, SHIPPED_CONTRACTS, withInstance } from './open-instance.ts';
import { callsFor, makeSmallDay, RECEIVED_MICROS } from './small-day.ts';
import type { KilledWork } from './work-until-killed.ts';

/**
 * Kills a process at every step of a batch. The bugs this hunts: rows of a batch that is not committed, a batch whose books are
 * not its rows', positions that are not where the rows end, and anything left behind that the next run trips over.
 */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-killed-'));
const INGEST: FaultyOptions = { batchRecords: 100 };
const REBUILT: FaultyOptions = { access: 'rebuild', settings: { attribution: { eligible: 'all' }, invalid_traffic: { double_click_seconds: 30 } } };
const traffic = join(folder, 'traffic');
afterAll(() => rmSync(folder, { recursive: true }));

/** Nothing of the small day is restated: a rebuild does that, below. */
const RESTATING = [
  'resolve/retract_impressions',
  'resolve/restate_impressions',
  'resolve/restate_exposures',
  'clicks/retract_clicks',
  'clicks/restate_clicks',
  'attribute/retract_attribution',
];
const MODELS = [...IDENTIFY_STEPS, ...FILTER_STEPS, ...REFERENCE_STEPS, ...DERIVE_STEPS, ...QUARANTINE_STEPS]
  .map(({ model }) => model)
  .filter((model) => !RESTATING.includes(model));
const STEPS = ['begin', ...MODELS, 'books', 'commit', 'committed'];

/** A directory with so many batches committed: where the process that is killed starts. */
const atBatch = (batch: number) => join(folder, `at-batch-${batch}`);
/** The steps of each batch, in order, and what is stored once it is committed. */
const steps: string[][] = [[]];
const stored: Tables[] = [];
let undisturbed: Tables;
let last: number;

beforeAll(async () => {
  await makeSmallDay(traffic);
  const onStep = (step: string) => {
    if (step === 'begin') steps.push([]);
    steps.at(-1)?.push(step);
  };
  await withInstance(join(folder, 'undisturbed'), { ...INGEST, onStep }, async (instance) => {
    await ingestAll(instance);
    undisturbed = await readEveryTable(instance);
    await exportInstanceLake(instance);
  });
  last = steps.length - 1;
  for (let batch = 0; batch <= last; batch++) {
    let begun = 0;
    const stopAt = (step: string) => {
      if (step === 'begin' && ++begun > 1) throw new Error('far enough');
    };
    if (batch > 0) cpSync(atBatch(batch - 1), atBatch(batch), { recursive: true });
    await withInstance(atBatch(batch), { ...INGEST, onStep: stopAt }, async (instance) => {
      if (batch > 0) await ingestAll(instance).catch(() => undefined);
      stored.push(await readStoredTables(instance));
    });
  }
});

async function ingestAll(instance: Instance): Promise<void> {
  for (const requests of callsFor(traffic)) await ingestFiles(instance, requests);
}

it('makes a batch of reference data and several of events, with every step that a batch has', () => {
  expect(last).toBeGreaterThan(3);
  expect(stored.map((tables) => tables['store.batches']?.length)).toEqual([...steps.keys()]);
  expect([...new Set(steps.flat())].sort()).toEqual([...STEPS].sort());
});

describe('an ingest that is killed', () => {
  it.each(STEPS.map((step, index) => ({ step, index })))('at $step leaves the batches before it, and nothing of this one', async ({ step, index }) => {
    const having = [...steps.keys()].filter((batch) => steps[batch]?.includes(step));
    const batch = having[index % having.length] as number;
    const data = killed({ work: 'ingest', step, occurrence: 1 }, INGEST, atBatch(batch - 1));
    const committed = step === 'committed' ? batch : batch - 1;
    // As a reader finds it, before anyone has repaired anything.
    await withInstance(data, { access: 'read' }, async (instance) => {
      expect(compareTables(stored[committed] as Tables, await readStoredTables(instance))).toBeNull();
    });
    // What is stored is what was stored before: from there the way is known, and walked now and then.
    if (index % 6 === 0 || !MODELS.includes(step)) await ingestAgain(data);
    rmSync(data, { recursive: true });
  });

  it('after some batches, two of them of one file, goes on with the record after them', async () => {
    const data = killed({ work: 'ingest', step: 'begin', occurrence: 3 }, INGEST, atBatch(0));
    await ingestAgain(data);
  });
});

/** What the same command makes of what was left: the tables of a run that nothing disturbed, and no trace of the one that was killed. */
async function ingestAgain(data: string): Promise<void> {
  await withInstance(data, INGEST, async (instance) => {
    await ingestAll(instance);
    expect(compareTables(undisturbed, await readEveryTable(instance))).toBeNull();
    expect(await brokenEquations(instance)).toEqual([]);
    expect(readdirSync(instance.directory.staging)).toEqual([]);
    expect(await strayArchiveFiles(instance)).toEqual([]);
  });
  expect(readdirSync(data)).toEqual(['advertisex.duckdb', 'archive']);
}

describe('an export of the lake that is killed', () => {
  it.each([
    ['clear_writing', 1],
    ['copy_slices', 12],
    ['replace_slice', 10],
    ['write_manifest', 1],
    ['replace_manifest', 1],
    ['replace_manifest', 2],
    ['remove_writing', 1],
  ])('at %s, time %i, leaves the tables alone, and the next one completes the lake', async (step, occurrence) => {
    const data = killed({ work: 'export', step, occurrence }, {}, atBatch(last));
    await withInstance(data, {}, async (instance) => {
      expect(compareTables(stored[last] as Tables, await readStoredTables(instance))).toBeNull();
      await exportInstanceLake(instance);
      expect(await lakeState(instance)).toEqual({ batch: last, batchesBehind: 0, differences: [] });
    });
    expect(lakeFiles(data)).toEqual(lakeFiles(join(folder, 'undisturbed')));
    rmSync(data, { recursive: true });
  });
});

describe('a replay of the quarantine that is killed', () => {
  const refused = join(folder, 'refused');
  let before: Tables;
  let after: Tables;

  beforeAll(async () => {
    // Without currency rates at first: amounts in other currencies are refused until there are some.
    const [reference = [], ...events] = callsFor(traffic);
    await withInstance(refused, INGEST, async (instance) => {
      for (const requests of [...events, reference]) await ingestFiles(instance, requests);
      before = await readStoredTables(instance);
    });
    await withInstance(copyOf(refused), INGEST, async (instance) => {
      expect((await replayQuarantine(instance, {})).accepted).toBeGreaterThan(0);
      after = await readStoredTables(instance);
    });
  });

  it.each(['identify/verdicts', 'books', 'commit', 'committed'])('at %s has taken all of its records or none', async (step) => {
    const data = killed({ work: 'replay', step, occurrence: 1 }, INGEST, refused);
    await withInstance(data, INGEST, async (instance) => {
      expect(compareTables(step === 'committed' ? after : before, await readStoredTables(instance))).toBeNull();
      const again = await replayQuarantine(instance, {});
      if (step === 'committed') expect(again.accepted + again.duplicate).toBe(0);
      else expect(compareTables(after, await readStoredTables(instance))).toBeNull();
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });
});

describe('a rebuild by other settings that is killed', () => {
  it.each(['attribute/retract_attribution', 'books', 'commit', 'committed'])('at %s has restated everything or nothing', async (step) => {
    const data = killed({ work: 'rebuild', step, occurrence: 1 }, REBUILT, atBatch(last));
    // The figures go with the settings that they are made by, and with no others.
    const [made, refused] = [INGEST, { ...REBUILT, access: 'write' } as const].sort(() => (step === 'committed' ? -1 : 1));
    await expect(withInstance(data, refused as FaultyOptions, readEveryTable)).rejects.toMatchObject({ code: 'data_version' });
    await expect(withInstance(data, made as FaultyOptions, readEveryTable)).resolves.toBeDefined();
    await withInstance(data, REBUILT, async (instance) => {
      const { restated } = await rebuild(instance);
      if (step === 'committed') expect(restated).toBe(0);
      else expect(restated).toBeGreaterThan(0);
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });
});

let copies = 0;

function copyOf(directory: string): string {
  const copy = join(folder, `copy-${++copies}`);
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** A copy of the directory, as a process leaves it that was killed there. */
function killed(where: Pick<KilledWork, 'work' | 'step' | 'occurrence'>, faulty: FaultyOptions, start: string): string {
  const data = copyOf(start);
  const { contracts: _, nowMicros: __, ...options } = instanceOptions(data, faulty);
  const work: KilledWork = { ...where, options, calls: callsFor(traffic), contracts: [...SHIPPED_CONTRACTS], nowMicros: RECEIVED_MICROS };
  writeFileSync(`${data}.json`, JSON.stringify(work));
  const child = spawnSync(process.execPath, ['--no-warnings', join(import.meta.dirname, 'work-until-killed.ts'), `${data}.json`], {
    encoding: 'utf8',
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  });
  if (child.signal !== 'SIGKILL') throw new Error(`It was not killed: ${child.stderr}`);
  expect(existsSync(join(data, 'owner.json'))).toBe(true);
  return data;
}

function lakeFiles(data: string): string[] {
  return readdirSync(join(data, 'lake'), { recursive: true, encoding: 'utf8' }).sort();
}
