import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { AdvertiseXError } from '../../src/domain/errors.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { brokenEquations, readEveryTable, strayArchiveFiles } from './every-table.ts';
import { withInstance } from './open-instance.ts';
import { makeSmallDay, requestsFor } from './small-day.ts';

/** A batch that fails while the next one is being decoded. The bug this hunts: the next one commits, and the failed one's records are never taken. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-failing-batch-'));
const BATCH_RECORDS = 60;
let traffic: string;
let undisturbed: Tables;

beforeAll(async () => {
  traffic = await makeSmallDay(join(folder, 'traffic'));
  await withInstance(join(folder, 'undisturbed'), {}, async (instance) => {
    await ingestFiles(instance, requestsFor(traffic));
    undisturbed = await readEveryTable(instance);
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

it('is the last one that is begun, whichever it is, and the next run goes on with it', async () => {
  const data = join(folder, 'data');
  let committed = 0;
  for (let run = 0; run < 20; run++) {
    let books = 0;
    // The batch after the one that this run commits; the first run commits none.
    const onStep = (step: string) => {
      if (step === 'books' && ++books === (run === 0 ? 1 : 2)) throw new AdvertiseXError('disk_full', 'The disk is full', 'Make room.');
    };
    const failure = await withInstance(data, { batchRecords: BATCH_RECORDS, onStep }, async (instance) => {
      const failed = await ingestFiles(instance, requestsFor(traffic)).then(
        () => undefined,
        (error) => error,
      );
      const [books] = await instance.engine.rows<{ batches: bigint }>('select count(*) as batches from ops.batches');
      expect(Number(books?.batches)).toBe(run === 0 ? 0 : committed + 1);
      committed = Number(books?.batches);
      expect(await brokenEquations(instance)).toEqual([]);
      expect(await strayArchiveFiles(instance)).toEqual([]);
      return failed;
    });
    expect(readdirSync(data).filter((name) => name !== 'archive')).toEqual(['advertisex.duckdb']);
    if (failure === undefined) break;
    expect(failure).toMatchObject({ code: 'disk_full' });
  }
  expect(committed).toBeGreaterThan(5);
  await withInstance(data, { batchRecords: BATCH_RECORDS }, async (instance) => {
    const { files } = await ingestFiles(instance, requestsFor(traffic));
    expect(new Set(files.map(({ state }) => state))).toEqual(new Set(['known']));
    expect(compareTables(withoutBooks(undisturbed), withoutBooks(await readEveryTable(instance)), ['batch_id'])).toBeNull();
  });
});

/** But for the tables whose rows are batches. */
function withoutBooks(tables: Tables): Tables {
  return Object.fromEntries(Object.entries(tables).filter(([name]) => !['ops.batches', 'ops.ledger', 'ops.restatements'].includes(name)));
}
