import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Instance } from '../../src/app/instance.ts';
import { rebuildFromRaw } from '../../src/app/rebuild-from-raw.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { type Kill, takeUntilKilled } from './kill-while-taking.ts';
import { openSmallLive } from './open-small-live.ts';

/** The bugs this hunts: a segment that is dropped before its records are archived, and a record that is archived twice. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-killed-archive-'));
afterAll(() => rmSync(folder, { recursive: true }));

const records = async ({ engine }: Instance) =>
  (
    await engine.rows(
      `select 'silver' as place, impression_id as record, position, received_at from silver.impressions
       union all select 'quarantine', decode(raw), position, received_at from ops.quarantine order by position`,
    )
  ).map((row) => Object.values(row).join(' '));

it('has every record that was acknowledged once, wherever the process is killed', async () => {
  const data = join(folder, 'data');
  const kills: Kill[] = [
    ...['write_file', 'rename_file', 'write_state', 'stretch_archived'].flatMap((step) => [1, 2].map((occurrence) => ({ step, occurrence }))),
    ...[400, 900].map((afterMilliseconds) => ({ afterMilliseconds })),
  ];
  let acknowledged = 0;
  for (const [index, kill] of kills.entries()) acknowledged += (await takeUntilKilled(data, index * 1_000_000, kill, 'archive')).length;
  const expected = await withInstance(data, { settings: { raw_archive: { enabled: true } } }, async (instance) => {
    const { live, events } = await openSmallLive(instance);
    await live.stop();
    expect(events.filter(({ what }) => what !== 'recovered')).toEqual([]);
    expect(readdirSync(instance.directory.log).filter((name) => name.endsWith('.log')).length).toBe(1);
    expect(readdirSync(instance.directory.raw, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.draft'))).toEqual([]);
    return records(instance);
  });
  expect(acknowledged).toBeGreaterThan(kills.length);
  expect(expected.length).toBeGreaterThanOrEqual(acknowledged);
  await withInstance(join(folder, 'rebuilt'), {}, async (instance) => {
    await rebuildFromRaw(instance, join(data, 'raw'));
    expect(await records(instance)).toEqual(expected);
    expect(await brokenEquations(instance)).toEqual([]);
  });
});
