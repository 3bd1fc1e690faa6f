import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { brokenEquations } from '../faults/every-table.ts';
import { withInstance } from '../faults/open-instance.ts';
import { type Kill, takeUntilKilled } from './kill-while-taking.ts';
import { openSmallLive } from './open-small-live.ts';

/**
 * The bugs this hunts: a record that was acknowledged and is not in the tables, one that is there twice, and a position that is
 * not where the tables are.
 */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-killed-live-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('has every record that was acknowledged in the tables once, wherever the process is killed', async () => {
  const data = join(folder, 'data');
  const acknowledged = new Set<number>();
  const steps = ['begin', 'identify/identities', 'resolve/impressions', 'gold/campaign_hourly', 'quarantine/quarantine', 'books', 'commit', 'committed'];
  const kills: Kill[] = [
    ...steps.flatMap((step) => [1, 3].map((occurrence) => ({ step, occurrence }))),
    ...[0, 20, 90, 150, 333, 700].map((afterMilliseconds) => ({ afterMilliseconds })),
  ];
  for (const [index, kill] of kills.entries()) for (const number of await takeUntilKilled(data, index * 1_000_000, kill)) acknowledged.add(number);
  await withInstance(data, {}, async (instance) => {
    const { live } = await openSmallLive(instance);
    await live.stop();
    const rows = await instance.engine.rows<{ number: bigint; copies: bigint }>(
      `select number, count(*) as copies from (
         select cast(substr(impression_id, 2) as bigint) as number from silver.impressions
         union all select cast(substr(json_extract_string(decode(raw), '$.impression_id'), 2) as bigint) from ops.quarantine
       ) n group by number`,
    );
    const copies = new Map(rows.map((row) => [Number(row.number), Number(row.copies)]));
    expect([...acknowledged].filter((number) => copies.get(number) !== 1)).toEqual([]);
    expect([...copies.values()].every((times) => times === 1)).toBe(true);
    expect(acknowledged.size).toBeGreaterThan(kills.length);
    const [books] = await instance.engine.rows('select sum(duplicate)::bigint as duplicate from ops.ledger');
    expect(books?.['duplicate']).toBe(0n);
    expect(await brokenEquations(instance)).toEqual([]);
  });
});
