import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { run } from '../faults/command-line.ts';
import { eventually } from './open-small-live.ts';
import { startUp, stopUp } from './running-up.ts';
import { numbered } from './take-until-killed.ts';

/** The bugs this hunts: a record of a folder that a killed process left out, or that the next one has twice; and one that was put away and never taken. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-killed-sources-'));
afterAll(() => rmSync(folder, { recursive: true }));

const A_FILE = 30;

async function query(data: string, sql: string): Promise<Record<string, unknown>[]> {
  const { stdout, stderr } = await run(['query', sql, '--format', 'json', '--data', data]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

it.each([
  ['keep', [100, 700, 1_600]],
  ['move', [350, 1_100]],
] as const)('has each record of its folders once, however often it is killed meanwhile (%s)', async (after, kills) => {
  const data = join(folder, after, 'data');
  const incoming = join(folder, after, 'in');
  mkdirSync(incoming, { recursive: true });
  const config = join(folder, after, 'advertisex.yaml');
  writeFileSync(
    config,
    `sources:\n  folders:\n    - {feed: ad-impressions, path: in, quiet_seconds: 0, after: ${after}}\nlake: {after_ingest: false}\nlimits: {batch_records: 1000}\n`,
  );
  let files = 0;
  const put = (): void => {
    const from = files++ * A_FILE;
    const records = Array.from({ length: A_FILE }, (_, index) => numbered(from + index)).join('');
    writeFileSync(join(incoming, '.being-written'), records);
    renameSync(join(incoming, '.being-written'), join(incoming, `${String(files).padStart(6, '0')}.jsonl`));
  };
  for (const milliseconds of kills) {
    for (let file = 0; file < 60; file++) put();
    const up = await startUp(data, {}, ['--config', config]);
    const writing = setInterval(put, 15);
    await wait(milliseconds);
    up.child.kill('SIGKILL');
    await up.ended;
    clearInterval(writing);
  }
  const up = await startUp(data, {}, ['--config', config]);
  const all = files * A_FILE;
  await eventually(
    async () => Number((await query(data, 'select coalesce(sum(records), 0)::bigint as n from ops.files where done'))[0]?.['n']) === all,
    60_000,
  );
  await stopUp(up);
  const [found] = await query(
    data,
    `select count(*) as records, count(distinct number) as numbers, min(number) as first, max(number) as last, (select sum(duplicate)::bigint from ops.ledger) as duplicates from (
       select cast(substr(impression_id, 2) as bigint) as number from silver.impressions
       union all select cast(substr(json_extract_string(decode(raw), '$.impression_id'), 2) as bigint) from ops.quarantine) n`,
  );
  expect(found).toEqual({ records: all, numbers: all, first: 0, last: all - 1, duplicates: 0 });
  expect((await run(['recon', '--data', data])).status).toBe(0);
});

it('has what it took of a pipe, up to where it was killed, once, also when all of it is piped in again', async () => {
  const data = join(folder, 'pipe');
  let next = 0;
  const piped: string[] = [];
  for (const milliseconds of [200, 600]) {
    const up = await startUp(data, { ADVERTISEX_LAKE_AFTER_INGEST: 'false' }, ['--stdin', 'ad-impressions']);
    for (const earlier of piped) up.child.stdin?.write(earlier);
    const writing = setInterval(() => {
      const lines = Array.from({ length: 50 }, () => numbered(next++)).join('');
      piped.push(lines);
      up.child.stdin?.write(lines);
    }, 5);
    await wait(milliseconds);
    up.child.kill('SIGKILL');
    await up.ended;
    clearInterval(writing);
  }
  const up = await startUp(data, { ADVERTISEX_LAKE_AFTER_INGEST: 'false' }, ['--stdin', 'ad-impressions', '--until-end']);
  for (const earlier of piped) up.child.stdin?.write(earlier);
  up.child.stdin?.end();
  expect(await up.ended).toMatchObject({ status: 0 });
  const good = next - Math.floor(next / 10);
  expect(await query(data, 'select count(*) as n, count(distinct impression_id) as ids from silver.impressions')).toEqual([{ n: good, ids: good }]);
  expect((await run(['recon', '--data', data])).status).toBe(0);
});
