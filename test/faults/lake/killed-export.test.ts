import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { checkLake } from '../../../src/lake/check-lake.ts';
import { exportLake } from '../../../src/lake/export-lake.ts';
import { readLake, tablesAsOf } from './read-lake.ts';
import { twoBatches } from './rows-lake-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-killed-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('leaves every day as it was or as it is now when it is killed before any step, and the next export does the rest', async () => {
  const source = twoBatches();
  const before = join(folder, 'before');
  source.batch = 1;
  await exportLake(source, before);
  source.batch = 2;
  const old = tablesAsOf(source, 1);
  const current = tablesAsOf(source, 2);
  const steps = await countSteps(before);
  expect(steps).toBeGreaterThan(20);
  let mixed = 0;
  for (let killAt = 0; killAt < steps; killAt++) {
    const lake = join(folder, `killed-${killAt}`);
    cpSync(before, lake, { recursive: true });
    expect(runChild(lake, killAt)).toBe('SIGKILL');
    const left = await readLake(lake, source.tables);
    for (const [table, slices] of Object.entries(left)) {
      for (const [slice, values] of Object.entries(slices)) {
        expect([old[table]?.[slice], current[table]?.[slice]], `${table} ${slice} after step ${killAt}`).toContainEqual(values);
      }
      for (const slice of Object.keys({ ...old[table], ...current[table] })) {
        // Only what one of both states does not have may be missing.
        if (!(slice in slices)) expect([old[table]?.[slice], current[table]?.[slice]], `${table} ${slice} after step ${killAt}`).toContain(undefined);
      }
    }
    if (JSON.stringify(left) !== JSON.stringify(old) && JSON.stringify(left) !== JSON.stringify(current)) mixed++;
    await exportLake(source, lake);
    expect(await readLake(lake, source.tables), `repaired after step ${killAt}`).toEqual(current);
    expect(await checkLake(source, lake)).toMatchObject({ batch: 2, batchesBehind: 0, differences: [] });
    expect(existsSync(join(lake, '_writing'))).toBe(false);
  }
  // Else the kills came before or after all that matters, and the test shows nothing.
  expect(mixed).toBeGreaterThan(3);
});

async function countSteps(before: string): Promise<number> {
  const lake = join(folder, 'counted');
  cpSync(before, lake, { recursive: true });
  const source = twoBatches();
  source.batch = 2;
  let steps = 0;
  await exportLake(source, lake, { beforeStep: () => steps++ });
  return steps;
}

function runChild(lake: string, killAt: number): string | null {
  const child = spawnSync(process.execPath, ['--no-warnings', join(import.meta.dirname, 'export-until-killed.ts'), lake, String(killAt)], { encoding: 'utf8' });
  if (child.signal === null) throw new Error(`The export was not killed: ${child.stderr}`);
  return child.signal;
}
