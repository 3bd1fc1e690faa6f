import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readLake, tablesAsOf } from '../../test/faults/lake/read-lake.ts';
import { CAMPAIGNS, CLICKS, RowsLakeSource, twoBatches, type VersionedRow } from '../../test/faults/lake/rows-lake-source.ts';
import { checkLake } from './check-lake.ts';
import { exportLake } from './export-lake.ts';
import { readManifest } from './lake-manifest.ts';
import { type LakeTable, WHOLE } from './lake-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-export-'));
let lakes = 0;
const newLake = (): string => join(folder, `deep/${lakes++}/lake`);
afterAll(() => rmSync(folder, { recursive: true }));

async function exported(source: RowsLakeSource, batch: number, lake = newLake()): Promise<string> {
  source.batch = batch;
  await exportLake(source, lake);
  source.copies = [];
  return lake;
}

const clicksOf = (lake: string, day: string): string => join(lake, `silver.clicks/dt=${day}/part-0.parquet`);

describe('exportLake', () => {
  it('writes a file a day and a manifest of them', async () => {
    const source = twoBatches();
    source.batch = 1;
    const lake = newLake();
    const progress: string[] = [];
    const result = await exportLake(source, lake, { onProgress: ({ slicesDone, slicesToDo }) => progress.push(`${slicesDone}/${slicesToDo}`) });
    expect(result).toEqual({
      batch: 1,
      tables: [
        { name: 'silver.clicks', written: 4, removed: 0, rows: 4, bytes: expect.any(Number) },
        { name: 'ref.campaigns', written: 1, removed: 0, rows: 1, bytes: expect.any(Number) },
      ],
    });
    expect(progress).toEqual([expect.stringMatching(/^[14]\/5$/), '5/5']);
    expect(readdirSync(lake).sort()).toEqual(['_manifest.json', 'ref.campaigns', 'silver.clicks']);
    expect(readdirSync(join(lake, 'silver.clicks'))).toEqual(['dt=2026-01-01', 'dt=2026-01-02', 'dt=2026-01-03', 'dt=2026-01-04']);
    expect(readdirSync(join(lake, 'ref.campaigns'))).toEqual(['part-0.parquet']);
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 1));
    const bytes = statSync(clicksOf(lake, '2026-01-01')).size;
    expect(readFileSync(join(lake, '_manifest.json'), 'utf8').split('\n').slice(0, 4)).toEqual([
      '{"format":"advertisex-lake","version":1,"origin":"first","tables":[',
      '    {"name":"silver.clicks","batch":1,"divided":"by_day","columns":[{"name":"user_id","type":"varchar"},{"name":"position","type":"bigint"}],"files":[',
      `      {"slice":"2026-01-01","path":"silver.clicks/dt=2026-01-01/part-0.parquet","rows":1,"bytes":${bytes},"batch":1},`,
      `      {"slice":"2026-01-02","path":"silver.clicks/dt=2026-01-02/part-0.parquet","rows":1,"bytes":${statSync(clicksOf(lake, '2026-01-02')).size},"batch":1},`,
    ]);
  });

  it('writes only what changed, and removes the days that have no rows any more', async () => {
    const source = twoBatches();
    const lake = await exported(source, 1);
    const untouched = statSync(clicksOf(lake, '2026-01-01')).ino;
    source.batch = 2;
    const result = await exportLake(source, lake);
    expect(result.tables).toMatchObject([
      { written: 3, removed: 1, rows: 4 },
      { written: 1, removed: 0, rows: 2 },
    ]);
    expect(source.copies.sort()).toEqual(['ref.campaigns whole', ...[2, 3, 4, 5].map((day) => `silver.clicks 2026-01-0${day}`)]);
    expect(statSync(clicksOf(lake, '2026-01-01')).ino).toBe(untouched);
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 2));
    expect(readdirSync(join(lake, 'silver.clicks'))).not.toContain('dt=2026-01-04');
    const files = (await readManifest(lake))?.tables[0]?.files.map(({ slice, batch }) => [slice, batch]);
    expect(files).toEqual([
      ['2026-01-01', 1],
      ['2026-01-02', 2],
      ['2026-01-03', 2],
      ['2026-01-05', 2],
    ]);
  });

  it('writes nothing again where nothing changed, but says up to which batch that holds', async () => {
    const source = twoBatches();
    const lake = await exported(source, 2);
    source.batch = 7;
    expect((await exportLake(source, lake)).tables.map(({ written, removed }) => written + removed)).toEqual([0, 0]);
    expect(source.copies).toEqual([]);
    expect((await readManifest(lake))?.tables.map(({ batch }) => batch)).toEqual([7, 7]);
  });

  it('repairs a file that is gone or cut', async () => {
    const source = twoBatches();
    const lake = await exported(source, 1);
    rmSync(join(lake, 'silver.clicks/dt=2026-01-01'), { recursive: true });
    truncateSync(clicksOf(lake, '2026-01-03'), 40);
    await exportLake(source, lake);
    expect(source.copies).toEqual(['silver.clicks 2026-01-01', 'silver.clicks 2026-01-03']);
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 1));
  });

  const unusable: readonly (readonly [string, (source: RowsLakeSource, lake: string) => void])[] = [
    ['it was made from other tables', (source) => Object.assign(source, { origin: 'second' })],
    ['its manifest is gone', (_, lake) => rmSync(join(lake, '_manifest.json'))],
    ['its manifest is damaged', (_, lake) => writeFileSync(join(lake, '_manifest.json'), '{"format":"advertisex-la')],
    [
      'its manifest names a file outside',
      (_, lake) => writeFileSync(join(lake, '_manifest.json'), readFileSync(join(lake, '_manifest.json'), 'utf8').replace('"slice":"2026', '"slice":"../2026')),
    ],
    ['it knows later batches than the tables', (source) => Object.assign(source, { batch: 1 })],
  ];
  it.each(unusable)('writes everything again, and removes days without rows, where %s', async (_, spoil) => {
    const source = twoBatches();
    const lake = await exported(source, 2);
    mkdirSync(join(lake, 'silver.clicks/dt=2025-12-31'));
    copyFileSync(clicksOf(lake, '2026-01-01'), clicksOf(lake, '2025-12-31'));
    spoil(source, lake);
    await exportLake(source, lake);
    expect(source.copies).toContain('silver.clicks 2026-01-01');
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, source.batch));
  });

  it('writes a table again whose columns changed, and only that one', async () => {
    const source = twoBatches();
    const lake = await exported(source, 2);
    source.tables = [{ ...CLICKS, columns: CLICKS.columns.slice(0, 1) }, CAMPAIGNS];
    await exportLake(source, lake);
    expect(source.copies).toEqual(['silver.clicks 2026-01-01', 'silver.clicks 2026-01-02', 'silver.clicks 2026-01-03', 'silver.clicks 2026-01-05']);
    expect((await readManifest(lake))?.tables[0]?.columns).toEqual([{ name: 'user_id', type: 'varchar' }]);
  });

  it('goes on where it broke off between many days: tables that were done stay done', async () => {
    const days = Array.from({ length: 45 }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10));
    const rows = (value: string): VersionedRow[] => days.flatMap((slice) => [1, 2].map((since) => ({ slice, value: `${value} ${since}`, since })));
    const other = { ...CLICKS, name: 'silver.conversions' };
    const source = new RowsLakeSource({ [CLICKS.name]: rows('click'), [other.name]: rows('conversion') }, [CLICKS, other]);
    const lake = await exported(source, 1);
    source.batch = 2;
    let manifests = 0;
    const beforeStep = (step: string): void => {
      if (step === 'replace_manifest') manifests++;
      if (step === 'replace_slice' && manifests === 2) throw new Error('broken off');
    };
    await expect(exportLake(source, lake, { beforeStep })).rejects.toThrow('broken off');
    expect((await readManifest(lake))?.tables.map(({ name, batch }) => [name, batch])).toEqual([
      ['silver.clicks', 2],
      ['silver.conversions', 1],
    ]);
    source.copies = [];
    await exportLake(source, lake);
    expect(source.copies.toSorted()).toEqual(days.map((day) => `silver.conversions ${day}`));
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 2));
    expect((await checkLake(source, lake)).differences).toEqual([]);
  });

  it('puts nothing in place that the engine wrote with other columns', async () => {
    const source = twoBatches();
    const lake = await exported(source, 1);
    source.batch = 2;
    const copySlices = source.copySlices.bind(source);
    const other = (table: LakeTable): LakeTable => ({ ...table, columns: [{ name: 'user_id', type: 'bigint' }, ...table.columns.slice(1)] });
    source.copySlices = (table, slices, folder) => copySlices(table.name === 'silver.clicks' ? other(table) : table, slices, folder);
    await expect(exportLake(source, lake)).rejects.toMatchObject({
      code: 'lake_failed',
      message: 'The engine wrote silver.clicks for 2026-01-02 with other columns than the lake has: column 1 is user_id bigint, expected user_id varchar',
    });
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 1));
  });

  /** Holds every copy back until those of one table have ended: where tables are copied one after the other, it may wait for ever. */
  function copyFirst(source: RowsLakeSource, first: string): void {
    const copySlices = source.copySlices.bind(source);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    source.copySlices = async (table, slices, folder) => {
      if (table.name !== first) {
        await ended;
        await setTimeout(20);
      }
      const copies = await copySlices(table, slices, folder);
      if (table.name === first) end();
      return copies;
    };
  }

  it.each([CLICKS.name, CAMPAIGNS.name])('copies tables side by side, and writes the same manifest where %s is done first', async (first) => {
    const source = twoBatches();
    const lake = await exported(source, 2);
    const other = twoBatches();
    copyFirst(other, first);
    const copied = await exported(other, 2);
    expect(readFileSync(join(copied, '_manifest.json'), 'utf8')).toBe(readFileSync(join(lake, '_manifest.json'), 'utf8'));
    expect(await readLake(copied, source.tables)).toEqual(tablesAsOf(source, 2));
  });

  it.each([
    [CLICKS.name, CAMPAIGNS.name],
    [CAMPAIGNS.name, CLICKS.name],
  ])('leaves the lake of before where %s fails beside %s, and waits for the copy that goes on', async (failing, going) => {
    const source = twoBatches();
    const lake = await exported(source, 1);
    source.batch = 2;
    const before = readFileSync(join(lake, '_manifest.json'), 'utf8');
    const copySlices = source.copySlices.bind(source);
    let ended = false;
    source.copySlices = async (table, slices, folder) => {
      if (table.name === failing) throw new Error(`no copy of ${failing}`);
      await setTimeout(50);
      ended = true;
      return copySlices(table, slices, folder);
    };
    await expect(exportLake(source, lake)).rejects.toThrow(`no copy of ${failing}`);
    expect(ended, going).toBe(true);
    expect(readdirSync(lake).sort()).toEqual(['_manifest.json', 'ref.campaigns', 'silver.clicks']);
    expect(readFileSync(join(lake, '_manifest.json'), 'utf8')).toBe(before);
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 1));
  });

  it('begins no other copy once one has failed', async () => {
    const tables = Array.from({ length: 6 }, (_, index): LakeTable => ({ ...CLICKS, name: `silver.clicks_${index}` }));
    const rows = [{ slice: '2026-01-01', value: 'x', since: 1 }];
    const source = new RowsLakeSource(Object.fromEntries(tables.map(({ name }) => [name, rows])), tables);
    source.batch = 1;
    const begun: string[] = [];
    const { promise: failed, resolve: fail } = Promise.withResolvers<void>();
    source.copySlices = async ({ name }) => {
      begun.push(name);
      if (name === 'silver.clicks_1') fail();
      else await failed.then(() => setTimeout(20));
      throw new Error(`no copy of ${name}`);
    };
    await expect(exportLake(source, newLake())).rejects.toThrow('no copy of silver.clicks_1');
    expect(begun.sort()).toEqual(['silver.clicks_0', 'silver.clicks_1']);
  });

  it('passes on what the engine throws', async () => {
    const source = twoBatches();
    source.copySlices = () => Promise.reject(new TypeError('not of the file system'));
    source.batch = 1;
    await expect(exportLake(source, newLake())).rejects.toThrow('not of the file system');
  });

  it('refuses a slice that would lie outside its table', async () => {
    const source = new RowsLakeSource({ [CLICKS.name]: [{ slice: '../2026-01-01', value: 'x', since: 1 }] }, [CLICKS]);
    source.batch = 1;
    await expect(exportLake(source, newLake())).rejects.toThrow('is no slice of silver.clicks');
  });

  it('shows the tables whatever happened before: changes, interruptions, damage', async () => {
    const slice = fc.integer({ min: 1, max: 4 }).map((day) => `2026-02-0${day}`);
    const row = fc.record({
      slice,
      value: fc.string({ maxLength: 5 }),
      since: fc.integer({ min: 1, max: 6 }),
      lasts: fc.option(fc.integer({ min: 1, max: 4 })),
    });
    const rows = fc
      .array(row, { maxLength: 14 })
      .map((all): VersionedRow[] => all.map(({ lasts, ...rest }) => (lasts === null ? rest : { ...rest, until: rest.since + lasts })));
    const event = fc.oneof(
      fc.record({ kind: fc.constant('export' as const), batch: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ kind: fc.constant('break off' as const), batch: fc.integer({ min: 0, max: 2 }), after: fc.nat({ max: 30 }) }),
      fc.record({ kind: fc.constant('lose' as const), slice }),
    );
    await fc.assert(
      fc.asyncProperty(rows, rows, fc.array(event, { maxLength: 6 }), async (clicks, campaigns, events) => {
        const source = new RowsLakeSource({ [CLICKS.name]: clicks, [CAMPAIGNS.name]: campaigns.map((campaign) => ({ ...campaign, slice: WHOLE })) });
        const lake = newLake();
        for (const happening of events) {
          if (happening.kind === 'lose') rmSync(clicksOf(lake, happening.slice), { force: true });
          else {
            source.batch += happening.batch;
            let left = happening.kind === 'export' ? Number.POSITIVE_INFINITY : happening.after;
            const beforeStep = (): void => {
              if (left-- <= 0) throw new Error('broken off');
            };
            await exportLake(source, lake, { beforeStep }).catch((error) => expect(error.message).toBe('broken off'));
          }
        }
        await exportLake(source, lake);
        expect(await readLake(lake, source.tables)).toEqual({ ...emptyTables, ...tablesAsOf(source, source.batch) });
        expect((await checkLake(source, lake)).differences).toEqual([]);
        const rest = source.copies.length;
        await exportLake(source, lake);
        expect(source.copies.length).toBe(rest);
      }),
      { numRuns: 60 },
    );
  });
});

const emptyTables = { [CLICKS.name]: {}, [CAMPAIGNS.name]: {} };
