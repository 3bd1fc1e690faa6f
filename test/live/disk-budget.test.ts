import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DiskFigures } from '../../src/app/disk-figures.ts';
import { expire } from '../../src/app/expire.ts';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { watchDisk } from '../../src/app/live/watch-disk.ts';
import { replayQuarantine } from '../../src/app/quarantine.ts';
import { exportLakeBesideBatches } from '../../src/app/write-lake.ts';
import type { Delivery } from '../../src/collector/collector.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { callsFor, makeSmallDay } from '../faults/small-day.ts';
import { eventually, openSmallLive } from './open-small-live.ts';
import { startUp, stopUp } from './running-up.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-full-disk-'));
const mounts: string[] = [];
beforeAll(async () => void (await makeSmallDay(join(folder, 'traffic'))));
afterAll(() => {
  for (const mount of mounts) spawnSync('umount', ['-l', mount]);
  rmSync(folder, { recursive: true });
});

const delivery = (id: string): Delivery => ({
  feed: 'ad-impressions',
  encoding: 'json',
  delimiter: ',',
  body: Buffer.from(`${JSON.stringify({ impression_id: id, creative_id: 'k', user_id: 'u', timestamp: '2026-03-02T10:00:00Z', website: 'w.example' })}\n`),
});

describe('a disk that fills up', () => {
  it('stops records before it is full, lets in what was taken, and is read meanwhile', async () => {
    const figures: { -readonly [key in keyof DiskFigures]: number } = { freeBytes: 1e12, totalBytes: 2e12, usedBytes: 0 };
    let isHeld = false;
    const onStep = (step: string) => {
      if (step === 'begin' && isHeld) throw new Error('held up');
    };
    await withInstance(join(folder, 'injected'), { onStep, measureDisk: async () => figures, settings: { limits: { disk: '100MB' } } }, async (instance) => {
      const { disk: budget } = instance;
      const { live } = await openSmallLive(instance, {}, { room: () => budget.trouble });
      const count = async () => (await instance.engine.rows('select count(*) as n from silver.impressions'))[0]?.['n'];
      isHeld = true;
      await live.take(delivery('before'));
      figures.usedBytes = 96e6;
      await budget.look();
      await expect(live.take(delivery('while'))).rejects.toMatchObject({ code: 'disk_full' });
      expect(live.troubles.map(({ code }) => code)).toContain('disk_full');
      isHeld = false;
      await eventually(async () => (await count()) === 1n);
      figures.usedBytes = 80e6;
      await budget.look();
      expect(live.troubles.map(({ code }) => code)).not.toContain('disk_full');
      await live.take(delivery('while'));
      await live.stop();
      expect(await count()).toBe(2n);
      figures.usedBytes = 96e6;
      await expect(ingestFiles(instance, callsFor(join(folder, 'traffic')).flat())).rejects.toMatchObject({ code: 'disk_full', exitCode: 3 });
      expect(await count()).toBe(2n);
      figures.usedBytes = 10e6;
      await ingestFiles(instance, callsFor(join(folder, 'traffic')).flat());
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('is one for all who write: none of them begins while there is less room than to begin again', async () => {
    const figures: { -readonly [key in keyof DiskFigures]: number } = { freeBytes: 1e12, totalBytes: 2e12, usedBytes: 0 };
    const settings = { limits: { disk: '100MB' }, retention: { bid_requests_days: 20 } };
    await withInstance(join(folder, 'shared'), { measureDisk: async () => figures, settings }, async (instance) => {
      const levels: string[] = [];
      const watched = await watchDisk(instance, { onChange: ({ level }) => levels.push(level), onFailure: () => undefined });
      const calls = callsFor(join(folder, 'traffic')).flat();
      const batches = async () => (await instance.engine.rows('select max(batch_id) as n from store.batches'))[0]?.['n'];
      const lake = () => exportLakeBesideBatches(instance, new AbortController().signal);
      await ingestFiles(instance, calls.slice(0, -1));
      await lake();
      await ingestFiles(instance, calls.slice(-1));
      const before = await batches();
      figures.usedBytes = 96e6;
      await expect(replayQuarantine(instance, {})).rejects.toMatchObject({ code: 'disk_full' });
      figures.usedBytes = 92e6;
      const more = join(folder, 'more.json');
      writeFileSync(more, delivery('more').body);
      await expect(ingestFiles(instance, [{ feed: 'ad-impressions', paths: [more] }])).rejects.toMatchObject({ code: 'disk_full' });
      await expect(replayQuarantine(instance, {})).rejects.toMatchObject({ code: 'disk_full' });
      await expect(lake()).rejects.toMatchObject({ code: 'disk_full' });
      expect(await batches()).toBe(before);
      expect(levels).toEqual(['full']);
      // What makes room is done all the same.
      expect((await expire(instance)).length).toBeGreaterThan(0);
      expect((await lake()).batch).toBeGreaterThan(Number(before));
      watched.stop();
    });
  });

  it('is told to senders, and to whoever asks whether the server is ready', async () => {
    const data = join(folder, 'up');
    mkdirSync(data);
    writeFileSync(join(data, 'filler'), Buffer.alloc(40_000_000, 'x'));
    const up = await startUp(data, { ADVERTISEX_LIMITS_DISK: '40MB' });
    const send = () =>
      fetch(`${up.url}/v1/events/ad-impressions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: delivery('1').body as Uint8Array<ArrayBuffer>,
      });
    const refused = await send();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
    expect(await refused.json()).toMatchObject({ type: 'urn:advertisex:error:disk_full' });
    const ready = await fetch(`${up.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, reasons: [{ code: 'disk_full', message: expect.any(String) }] }]);
    rmSync(join(data, 'filler'));
    await eventually(async () => (await send()).status < 300);
    await stopUp(up);
    expect((await up.ended).stderr).toMatch(/Records are refused: .* takes .* \(limits\.disk\)/);
  });

  it('really, loses nothing that was acknowledged', async ({ skip }) => {
    const disk = join(folder, 'tmpfs');
    mkdirSync(disk);
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
    if (status !== 0) return skip('a tmpfs cannot be mounted here');
    mounts.push(disk);
    await withInstance(join(disk, 'data'), { settings: { raw_archive: { enabled: true } } }, async (instance) => {
      const { disk: budget } = instance;
      const { live } = await openSmallLive(instance, {}, { room: () => budget.trouble });
      await live.take(delivery('0'));
      // Something else takes the space.
      const filler = join(disk, 'filler');
      const { freeBytes } = await budget.look();
      writeFileSync(filler, Buffer.alloc(Math.floor(freeBytes - 6_000_000), 'x'));
      expect((await budget.look()).level).toBe('full');
      await expect(live.take(delivery('1'))).rejects.toMatchObject({ code: 'disk_full' });
      rmSync(filler);
      expect((await budget.look()).level).not.toBe('full');
      await live.take(delivery('2'));
      await live.stop();
      expect(await instance.engine.rows('select impression_id as id from silver.impressions order by id')).toEqual([{ id: '0' }, { id: '2' }]);
      expect(await brokenEquations(instance)).toEqual([]);
    });
    return undefined;
  });
});
