import { mkdtempSync, readdirSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

describe('a batch with records whose identity belongs to another content', () => {
  const conflicting = (name: string) => {
    const path = join(folder, name);
    const impression = { impression_id: 'one', creative_id: 'c', user_id: 'ann', timestamp: '2026-03-02T10:00:00Z', website: 'news.example' };
    writeFileSync(path, [impression, { ...impression, website: 'other.example' }].map((record) => `${JSON.stringify(record)}\n`).join(''));
    return path;
  };

  it.each([
    ['is cut', (path: string) => truncateSync(path, 10), 'source_changed'],
    ['is gone', (path: string) => unlinkSync(path), 'source_unreadable'],
  ] as const)('fails where their file %s before their bytes are read, which they are while the engine works', async (name, change, code) => {
    const path = conflicting(`${name}.jsonl`);
    const requests = [{ feed: 'ad-impressions' as const, paths: [path] }];
    const steps: string[] = [];
    const onStep = (step: string) => {
      steps.push(step);
      if (step === 'identify/verdicts') change(path);
    };
    await withInstance(join(folder, name), { onStep }, async (instance) => {
      await expect(ingestFiles(instance, requests)).rejects.toMatchObject({ code, message: expect.stringContaining(path) });
      expect(steps).toContain('gold/campaign_hourly');
      expect(steps).not.toContain('books');
    });
    await withInstance(join(folder, name), {}, async (instance) => {
      conflicting(`${name}.jsonl`);
      expect(await ingestFiles(instance, requests)).toMatchObject({ batches: [1], outcomes: { accepted: 1, quarantined: 1 } });
      expect((await readEveryTable(instance))['ops.quarantine']?.map((row) => Buffer.from(String(row['raw']), 'hex').toString())).toEqual([
        expect.stringContaining('other.example'),
      ]);
    });
  });

  it('fails as its steps do, once their bytes are read', async () => {
    const onStep = (step: string) => {
      if (step === 'reference/reference_verdicts' || step === 'resolve/impressions') throw new AdvertiseXError('disk_full', 'The disk is full', 'Make room.');
    };
    await withInstance(join(folder, 'steps'), { onStep }, (instance) =>
      expect(ingestFiles(instance, [{ feed: 'ad-impressions', paths: [conflicting('steps.jsonl')] }])).rejects.toMatchObject({ code: 'disk_full' }),
    );
  });
});

/** But for the tables whose rows are batches. */
function withoutBooks(tables: Tables): Tables {
  return Object.fromEntries(Object.entries(tables).filter(([name]) => !['ops.batches', 'ops.ledger', 'ops.restatements'].includes(name)));
}
