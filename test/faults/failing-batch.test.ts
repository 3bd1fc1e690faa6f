import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { AdvertiseXError } from '../../src/domain/errors.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { brokenEquations, readEveryTable } from './every-table.ts';
import { withInstance } from './open-instance.ts';
import { makeSmallDay, requestsFor } from './small-day.ts';

/** A batch that fails while the next one is being decoded. The bug this hunts: the next one commits, and the failed one's records are never taken. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-failing-batch-'));
const BATCH_RECORDS = 40;
let traffic: string;
let undisturbed: Tables;
let batches: number;

beforeAll(async () => {
  traffic = await makeSmallDay(join(folder, 'traffic'));
  await withInstance(join(folder, 'undisturbed'), { batchRecords: BATCH_RECORDS }, async (instance) => {
    batches = (await ingestFiles(instance, requestsFor(traffic))).batches.length;
    undisturbed = await readEveryTable(instance);
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

it('has several batches', () => {
  expect(batches).toBeGreaterThan(6);
});

it('stops at the batch that fails, whichever it is, and goes on from there', async () => {
  const data = join(folder, 'data');
  for (let failing = 1; failing <= batches; failing++) {
    let at = 0;
    const onStep = (step: string) => {
      if (step === 'books' && ++at === 1) throw new AdvertiseXError('disk_full', 'The disk is full', 'Make room.');
    };
    // Fails in the first batch of this run; the run before it has taken one batch more than the run before that.
    await withInstance(data, { batchRecords: BATCH_RECORDS, onStep }, async (instance) => {
      const failure = await ingestFiles(instance, requestsFor(traffic)).catch((error) => error);
      expect(failure).toMatchObject({ code: 'disk_full' });
      const [last] = await instance.engine.rows('select coalesce(max(batch_id), 0) as batch, count(*) as batches from ops.batches');
      expect(last).toEqual({ batch: BigInt(failing - 1), batches: BigInt(failing - 1) });
    });
    expect(readdirSync(data)).not.toContain('staging');
    let taken = 0;
    const stopAfterOne = (step: string) => {
      if (step === 'begin' && ++taken === 2) throw new AdvertiseXError('disk_full', 'The disk is full', 'Make room.');
    };
    await withInstance(data, { batchRecords: BATCH_RECORDS, onStep: stopAfterOne }, (instance) =>
      ingestFiles(instance, requestsFor(traffic)).catch((error) => expect(error).toMatchObject({ code: 'disk_full' })),
    );
  }
  await withInstance(data, { batchRecords: BATCH_RECORDS }, async (instance) => {
    const { files } = await ingestFiles(instance, requestsFor(traffic));
    expect(new Set(files.map(({ state }) => state))).toEqual(new Set(['known']));
    expect(compareTables(undisturbed, await readEveryTable(instance))).toBeNull();
    expect(await brokenEquations(instance)).toEqual([]);
  });
});
