import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DiskBudget, type DiskLevel } from './disk-budget.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-disk-'));
afterAll(() => rmSync(folder, { recursive: true }));
const MB = 1_000_000;

/** What is said of one figure after the other. */
async function levels(limits: { disk?: string; free_disk: string }, figures: readonly { freeBytes?: number; totalBytes?: number; usedBytes?: number }[]) {
  const changes: DiskLevel[] = [];
  const left = [...figures];
  const budget = new DiskBudget({
    directory: folder,
    limits: { disk: undefined, ...limits },
    nowMicros: () => 0,
    measure: async () => ({ freeBytes: 1e12, totalBytes: 2e12, usedBytes: 0, ...left.shift() }),
  });
  budget.onChange(({ level }) => changes.push(level));
  const seen: DiskLevel[] = [];
  for (const _ of figures) seen.push((await budget.look()).level);
  return { seen, changes, trouble: budget.trouble };
}

describe('a budget', () => {
  it('of bytes warns, stops before they are used up, and lets records in again once there is more room', async () => {
    const used = [10, 79, 80, 94, 95, 94, 90, 89, 50].map((megabytes) => ({ usedBytes: megabytes * MB }));
    const { seen, changes, trouble } = await levels({ disk: '100MB', free_disk: '1MB' }, used);
    expect(seen).toEqual(['enough', 'enough', 'low', 'low', 'full', 'full', 'full', 'low', 'enough']);
    expect(changes).toEqual(['low', 'full', 'low', 'enough']);
    expect(trouble).toBeUndefined();
  });

  it('of the file system keeps its reserve free', async () => {
    const free = [5_000, 1_300, 1_200, 1_001, 1_000, 1_100, 1_112].map((megabytes) => ({ freeBytes: megabytes * MB }));
    const { seen, trouble } = await levels({ free_disk: '1GB' }, free);
    expect(seen).toEqual(['enough', 'enough', 'low', 'low', 'full', 'full', 'low']);
    expect(trouble).toBeUndefined();
  });

  it('of a small file system is a tenth of it', async () => {
    const { seen, trouble } = await levels({ free_disk: '1GB' }, [
      { totalBytes: 100 * MB, freeBytes: 30 * MB },
      { totalBytes: 100 * MB, freeBytes: 9 * MB },
    ]);
    expect(seen).toEqual(['enough', 'full']);
    expect(trouble).toEqual({ code: 'disk_full', message: expect.stringContaining('room') });
  });

  it('says what takes how much, and what to do', async () => {
    const failure = (limits: { disk?: string; free_disk: string }, figures: object) =>
      new DiskBudget({
        directory: '/data',
        limits: { disk: undefined, ...limits },
        nowMicros: () => 0,
        measure: async () => ({ freeBytes: 1e12, totalBytes: 2e12, usedBytes: 0, ...figures }),
      }).requireRoom();
    await expect(failure({ disk: '2GB', free_disk: '1MB' }, { usedBytes: 1_950 * MB })).rejects.toMatchObject({
      code: 'disk_full',
      message: '/data takes 1,950 MB of the 2,000 MB that it may (limits.disk)',
      remedy: expect.stringContaining('advertisex expire'),
    });
    await expect(failure({ free_disk: '1GB' }, { freeBytes: 900 * MB })).rejects.toMatchObject({
      code: 'disk_full',
      message: '900 MB are free where /data is, and 1,000 MB are to be left (limits.free_disk)',
    });
    await expect(failure({ free_disk: '1GB' }, {})).resolves.toBeUndefined();
  });
});

it('looks once for all who ask at the same time', async () => {
  let looks = 0;
  const measure = async () => ({ freeBytes: 1e12, totalBytes: 2e12, usedBytes: looks++ });
  const budget = new DiskBudget({ directory: folder, limits: { disk: '10MB', free_disk: '1MB' }, nowMicros: () => 0, measure });
  const states = await Promise.all([budget.look(), budget.look(), budget.requireRoom(), budget.look()]);
  expect([looks, new Set(states.filter((state) => state !== undefined)).size]).toEqual([1, 1]);
  expect((await budget.look()).usedBytes).toBe(1);
});

it('the size of a folder is that of its files, and is looked at again in time', async () => {
  const data = join(folder, 'data');
  mkdirSync(join(data, 'inner'), { recursive: true });
  let now = 0;
  const budget = new DiskBudget({ directory: data, limits: { disk: '10MB', free_disk: '1MB' }, nowMicros: () => now });
  expect((await budget.look()).usedBytes).toBe(0);
  writeFileSync(join(data, 'one'), Buffer.alloc(4 * MB, 'x'));
  writeFileSync(join(data, 'inner', 'two'), Buffer.alloc(5 * MB, 'x'));
  now += 60_000_000;
  const state = await budget.look();
  expect(state.usedBytes).toBeGreaterThanOrEqual(9 * MB);
  expect(state.usedBytes).toBeLessThan(9.6 * MB);
  expect(state.freeBytes).toBeGreaterThan(0);
  expect(state.share).toBeGreaterThan(0.9);
  rmSync(join(data, 'one'));
  now += 60_000_000;
  expect((await budget.look()).usedBytes).toBeLessThan(5.6 * MB);
});
