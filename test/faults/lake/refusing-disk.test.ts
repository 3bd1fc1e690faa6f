import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkLake } from '../../../src/lake/check-lake.ts';
import { exportLake } from '../../../src/lake/export-lake.ts';
import { readManifest } from '../../../src/lake/lake-manifest.ts';
import { mountDisk, NO_SMALL_DISK, unmountDisk } from '../small-disk.ts';
import { readLake, tablesAsOf } from './read-lake.ts';
import { CLICKS, RowsLakeSource, twoBatches } from './rows-lake-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-refusing-disk-'));
const mounts: string[] = [];
afterAll(() => {
  for (const mount of mounts) unmountDisk(mount);
  rmSync(folder, { recursive: true });
});

function smallDisk(name: string, kilobytes: number): string | undefined {
  const mount = mountDisk(folder, name, kilobytes);
  if (mount !== undefined) mounts.push(mount);
  return mount;
}

describe('an export', () => {
  it('says that the disk is full, keeps what was there, gives the space back, and goes on when there is room', async ({ skip }) => {
    const disk = smallDisk('full', 400);
    if (disk === undefined) return skip(NO_SMALL_DISK);
    const day = (n: number): string => `2026-01-${String(n).padStart(2, '0')}`;
    const large = (n: number, since: number) => ({ slice: day(n), value: `${since}`.padEnd(50_000, 'x'), since, ...(since === 1 ? { until: 2 } : {}) });
    const source = new RowsLakeSource({ [CLICKS.name]: [1, 2, 3].flatMap((n) => [large(n, 1), large(n, 2)]) }, [CLICKS]);
    const lake = join(disk, 'lake');
    source.batch = 1;
    await exportLake(source, lake);
    source.batch = 2;
    const filler = join(disk, 'filler');
    writeFileSync(filler, Buffer.alloc(120 * 1024));
    const failure = await exportLake(source, lake).catch((error) => error);
    expect(failure).toMatchObject({ name: 'AdvertiseXError', code: 'disk_full', exitCode: 3 });
    expect(failure.message).toContain(lake);
    expect(failure.remedy).toMatch(/Make room.*lake export/);
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 1));
    expect(readdirSync(lake).sort()).toEqual(['_manifest.json', 'silver.clicks']);
    rmSync(filler);
    await exportLake(source, lake);
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 2));
    return undefined;
  });

  it('says that the disk is full where only the manifest found no room', async ({ skip }) => {
    const disk = smallDisk('nearly-full', 100);
    if (disk === undefined) return skip(NO_SMALL_DISK);
    const source = twoBatches();
    const lake = join(disk, 'lake');
    source.batch = 1;
    await exportLake(source, lake);
    source.batch = 2;
    const filler = join(disk, 'filler');
    let manifests = 0;
    const fillUp = (step: string): void => {
      // Before slices are put in place, and behind them.
      if (step === 'write_manifest' && ++manifests === 2) expect(() => writeFileSync(filler, Buffer.alloc(100 * 1024))).toThrow('ENOSPC');
    };
    const failure = await exportLake(source, lake, { beforeStep: fillUp }).catch((error) => error);
    expect(failure).toMatchObject({ name: 'AdvertiseXError', code: 'disk_full' });
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 2));
    rmSync(filler);
    await exportLake(source, lake);
    expect(await checkLake(source, lake)).toMatchObject({ batch: 2, differences: [] });
    return undefined;
  });

  it('says who may not write where on a read-only disk', async ({ skip }) => {
    const disk = smallDisk('read-only', 400);
    if (disk === undefined) return skip(NO_SMALL_DISK);
    const source = twoBatches();
    const lake = join(disk, 'lake');
    source.batch = 1;
    await exportLake(source, lake);
    spawnSync('mount', ['-o', 'remount,ro', disk]);
    source.batch = 2;
    const failure = await exportLake(source, lake).catch((error) => error);
    expect(failure).toMatchObject({ name: 'AdvertiseXError', code: 'lake_failed', exitCode: 3 });
    expect(failure.message).toContain(lake);
    expect(failure.remedy).toContain('Let this user write');
    expect(await readLake(lake, source.tables)).toEqual(tablesAsOf(source, 1));
    return undefined;
  });

  it('says who may not write where in a folder without permission', async ({ skip }) => {
    if (process.getuid?.() === 0) return skip('permissions do not hold root back; the read-only disk stands for this');
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o555);
    const failure = await exportLake(twoBatches(), join(closed, 'lake')).catch((error) => error);
    expect(failure).toMatchObject({ code: 'lake_failed', remedy: expect.stringContaining('Let this user write') });
    return undefined;
  });

  it.each(['silver.clicks', 'silver.clicks/dt=2026-01-02'])('says so where a file stands in the way of the folder %s', async (path) => {
    const lake = join(folder, `blocked ${path.length}`);
    mkdirSync(join(lake, path, '..'), { recursive: true });
    writeFileSync(join(lake, path), 'not a folder');
    const source = twoBatches();
    source.batch = 1;
    const failure = await exportLake(source, lake).catch((error) => error);
    expect(failure).toMatchObject({ code: 'lake_failed', remedy: expect.stringContaining('Check the folder') });
    expect((await readManifest(lake))?.tables ?? []).toEqual([]);
  });
});
