import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readLake, tablesAsOf } from '../../test/faults/lake/read-lake.ts';
import { CAMPAIGNS, CLICKS, type RowsLakeSource, twoBatches } from '../../test/faults/lake/rows-lake-source.ts';
import { checkLake } from './check-lake.ts';
import { compactLake } from './compact-lake.ts';
import { exportLake } from './export-lake.ts';
import { readManifest } from './lake-manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-check-'));
let lakes = 0;
afterAll(() => rmSync(folder, { recursive: true }));

async function exported(batch: number): Promise<{ source: RowsLakeSource; lake: string }> {
  const source = twoBatches();
  source.batch = batch;
  const lake = join(folder, String(lakes++));
  await exportLake(source, lake);
  return { source, lake };
}

const clicksOf = (lake: string, day: string): string => join(lake, `silver.clicks/dt=${day}/part-0.parquet`);

/** Everything that can be wrong with a lake, each of another kind. */
async function spoil(source: RowsLakeSource, lake: string): Promise<void> {
  rmSync(clicksOf(lake, '2026-01-01'));
  truncateSync(clicksOf(lake, '2026-01-02'), 60);
  copyFileSync(clicksOf(lake, '2026-01-03'), join(lake, 'silver.clicks/dt=2026-01-03/part-1.parquet'));
  mkdirSync(join(lake, 'silver.clicks/dt=2025-12-31'));
  copyFileSync(clicksOf(lake, '2026-01-03'), clicksOf(lake, '2025-12-31'));
  writeFileSync(join(lake, 'silver.clicks/notes.txt'), 'a stray file');
  mkdirSync(join(lake, 'silver.clicks/backup'));
  mkdirSync(join(lake, 'ref.campaigns/old'));
  writeFileSync(join(lake, 'silver.clicks/_temporary'), 'what engines do not see is no fault');
  // Other columns than the table has.
  const other = join(folder, `other-${lakes++}`);
  mkdirSync(other);
  const copies = await source.copySlices({ ...CLICKS, columns: CLICKS.columns.slice(0, 1) }, ['2026-01-05'], other);
  copyFileSync(copies.get('2026-01-05') as string, clicksOf(lake, '2026-01-05'));
}

describe('checkLake', () => {
  it('finds nothing wrong with what was just exported', async () => {
    const { source, lake } = await exported(2);
    expect(await checkLake(source, lake)).toEqual({ batch: 2, batchesBehind: 0, slicesChecked: 5, differences: [] });
  });

  it('compares with the batch that the lake is as of, and says how far it is behind', async () => {
    const { source, lake } = await exported(1);
    source.batch = 2;
    expect(await checkLake(source, lake)).toEqual({ batch: 1, batchesBehind: 1, slicesChecked: 5, differences: [] });
  });

  it('has nothing to compare before the first export', async () => {
    const source = twoBatches();
    source.batch = 2;
    expect(await checkLake(source, join(folder, 'never'))).toEqual({ batch: undefined, batchesBehind: 2, slicesChecked: 0, differences: [] });
  });

  it('names each file that is missing, cut, doubled, foreign or of other columns', async () => {
    const { source, lake } = await exported(2);
    await spoil(source, lake);
    const { differences } = await checkLake(source, lake);
    const found = Object.fromEntries(
      differences.map(({ table, slice, files, rowsInLake, rowsInTable, problem }) => [slice || `${table} ${files[0]}`, [rowsInTable, rowsInLake, problem]]),
    );
    expect(found).toEqual({
      'silver.clicks silver.clicks/backup': [0, 0, expect.stringContaining('is not part of the lake')],
      'silver.clicks silver.clicks/notes.txt': [0, 0, expect.stringContaining('is not part of the lake')],
      'ref.campaigns ref.campaigns/old': [0, 0, expect.stringContaining('is not part of the lake')],
      '2025-12-31': [0, 1, expect.stringContaining('has 1 rows and the table has 0')],
      '2026-01-01': [1, 0, expect.stringContaining('has 0 rows and the table has 1')],
      '2026-01-02': [2, 0, expect.stringMatching(/dt=2026-01-02\/part-0.parquet cannot be read.*lake compact/)],
      '2026-01-03': [1, 2, expect.stringContaining('has 2 rows and the table has 1')],
      '2026-01-05': [1, 1, expect.stringContaining('column 2 is missing, expected position bigint')],
    });
  });

  it('finds nothing wrong while an export is at work, nor where one broke off', async () => {
    for (const first of [true, false]) {
      for (let breakAt = 0, isOver = false; !isOver; breakAt++) {
        const source = twoBatches();
        source.batch = 1;
        const lake = join(folder, String(lakes++));
        if (!first) await exportLake(source, lake);
        source.batch = 2;
        let steps = 0;
        const beforeStep = async (step: string): Promise<void> => {
          if (breakAt === 0) expect([step, (await checkLake(source, lake)).differences]).toEqual([step, []]);
          else if (steps++ === breakAt) throw new Error('broken off');
        };
        const failure = await exportLake(source, lake, { beforeStep }).then(
          () => undefined,
          (error: Error) => error.message,
        );
        expect([undefined, 'broken off']).toContain(failure);
        isOver = breakAt > 0 && failure === undefined;
        expect((await checkLake(source, lake)).differences).toEqual([]);
        // A batch behind it as well.
        source.rows.get(CLICKS.name)?.push({ slice: '2026-01-06', value: 'later', since: 3 });
        source.batch = 3;
        expect((await checkLake(source, lake)).differences).toEqual([]);
        await exportLake(source, lake);
        expect(await checkLake(source, lake)).toEqual({ batch: 3, batchesBehind: 0, slicesChecked: 6, differences: [] });
        expect((await readManifest(lake))?.writing).toBeUndefined();
      }
    }
  });

  it('finds nothing wrong where a whole export comes between what it reads', async () => {
    const { source, lake } = await exported(1);
    source.batch = 2;
    const slicesExpiredSince = source.slicesExpiredSince.bind(source);
    let isExported = false;
    source.slicesExpiredSince = async () => {
      if (!isExported) {
        isExported = true;
        await exportLake(source, lake);
      }
      return slicesExpiredSince();
    };
    expect(await checkLake(source, lake)).toEqual({ batch: 2, batchesBehind: 0, slicesChecked: 5, differences: [] });
  });

  it('takes no offence at columns that a table has gained since the export', async () => {
    const { source, lake } = await exported(2);
    source.tables = source.tables.map((table) =>
      table.name === CLICKS.name ? { ...table, columns: [...table.columns, { name: 'gained', type: 'varchar' }] } : table,
    );
    expect((await checkLake(source, lake)).differences).toEqual([]);
  });

  it('compares a table that an export did not come to with the tables as they are', async () => {
    const { source, lake } = await exported(1);
    source.origin = 'second';
    source.batch = 2;
    const { batch, differences } = await checkLake(source, lake);
    expect(batch).toBe(0);
    expect(differences.map(({ slice }) => slice)).toEqual(['2026-01-02', '2026-01-04', '2026-01-05', 'whole']);
  });
});

describe('compactLake', () => {
  it('puts everything right that the check can find', async () => {
    const { source, lake } = await exported(2);
    await spoil(source, lake);
    const { swept, tables } = await compactLake(source, lake);
    expect([...swept].sort()).toEqual(['ref.campaigns/old', 'silver.clicks/backup', 'silver.clicks/dt=2026-01-03/part-1.parquet', 'silver.clicks/notes.txt']);
    expect(tables).toMatchObject([
      { written: 4, removed: 1 },
      { written: 1, removed: 0 },
    ]);
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 2));
    expect((await checkLake(source, lake)).differences).toEqual([]);
  });

  it('removes a table that is no more, and leaves folders alone that are not of the lake', async () => {
    const { source, lake } = await exported(2);
    mkdirSync(join(lake, 'my.own'));
    source.tables = [CLICKS];
    expect((await compactLake(source, lake)).swept).toEqual([CAMPAIGNS.name]);
    expect((await readManifest(lake))?.tables.map(({ name }) => name)).toEqual([CLICKS.name]);
    expect(() => writeFileSync(join(lake, 'my.own/file'), '')).not.toThrow();
  });
});
