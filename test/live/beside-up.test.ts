import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Ended, expectFailure, run, start } from '../faults/command-line.ts';
import { writeImpressions } from '../faults/large-day.ts';
import { eventually } from './open-small-live.ts';
import { startUp, stopUp } from './running-up.ts';

/** While `up` holds the data, commands that write have it do their work: real processes, through the socket that it left word of. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-beside-up-'));
const traffic = join(folder, 'traffic');
const NO_LAKE = { ADVERTISEX_LAKE_AFTER_INGEST: 'false' };
const feeds = ['ad-impressions', 'clicks-conversions', 'bid-requests'].flatMap((feed) => [feed, join(traffic, feed)]);
beforeAll(async () => {
  expect(await run(['generate', traffic, '--events', '9000', '--seed', '5'])).toMatchObject({ status: 0 });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function query(data: string, sql: string): Promise<Record<string, unknown>[]> {
  const { status, stdout, stderr } = await run(['query', sql, '--format', 'json', '--data', data]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return JSON.parse(stdout);
}

/** What is left is said either way. */
function withoutProgress(ended: Ended): Ended {
  return { ...ended, stderr: ended.stderr.replaceAll(/^(The running process takes them in: PID \d+, `advertisex up`, since \S+\.|Ingesting: .*)\n/gm, '') };
}

const users = (...names: string[]) => `user_id\n${names.join('\n')}\n`;

it('ingests through the running process what it would ingest by itself: the same output, exit code and figures', async () => {
  const alone = join(folder, 'alone');
  const beside = join(folder, 'beside');
  const up = await startUp(beside, NO_LAKE);
  const reference = ['currency-rates', join(traffic, 'reference/currency-rates.csv'), 'users', join(traffic, 'reference/users.csv')];
  for (const words of [reference, feeds, feeds, ['users', join(folder, 'none.csv')], ['ad-impressions', '/dev/null']]) {
    const expected = await run(['ingest', ...words, '--data', alone], NO_LAKE);
    const ended = await run(['ingest', ...words, '--data', beside], NO_LAKE);
    expect(withoutProgress(ended)).toEqual(withoutProgress(expected));
  }
  const summary = await run(['ingest', ...feeds, '--data', beside, '--format', 'json'], NO_LAKE);
  expect(JSON.parse(summary.stdout)).toMatchObject({ outcomes: { received: 0 }, batches: [] });
  const report = (data: string) => run(['report', 'campaigns', '--by', 'day', '--format', 'csv', '--data', data]);
  expect(await report(beside)).toEqual(await report(alone));
  expect(await run(['lake', 'export', '--data', beside])).toMatchObject({ status: 0, stdout: expect.stringContaining('silver.impressions') });
  expect(readdirSync(join(beside, 'staging'))).toEqual([]);
  await stopUp(up);
  expect(await run(['recon', '--data', beside])).toMatchObject({ status: 0 });
});

it('takes what is piped into the command, and replays the quarantine, by the rules of both or not at all', async () => {
  const data = join(folder, 'piped');
  const up = await startUp(data, NO_LAKE);
  const piped = start(['ingest', 'users', '-', '--data', data], NO_LAKE);
  piped.child.stdin?.end(users('ann', 'bea'));
  expect(await piped.ended).toMatchObject({ status: 0, stdout: expect.stringMatching(/stdin +taken +2 +2/) });
  await run(['ingest', 'ad-impressions', ...feeds.slice(1, 2), '--data', data], NO_LAKE);
  await run(['ingest', 'currency-rates', join(traffic, 'reference/currency-rates.csv'), '--data', data], NO_LAKE);
  const replayed = await run(['quarantine', 'replay', '--code', 'unknown_currency', '--data', data, '--format', 'json']);
  expect(JSON.parse(replayed.stdout).accepted).toBeGreaterThan(10);
  for (const words of [
    ['ingest', ...feeds],
    ['quarantine', 'replay'],
  ]) {
    const refused = await run([...words, '--data', data], { ADVERTISEX_INSTANCE_CURRENCY: 'EUR' });
    expectFailure(withoutProgress(refused), 3, 'data_locked', /other settings or contracts/);
  }
  expectFailure(await run(['rebuild', '--data', data]), 3, 'data_locked', /`advertisex up`/);
  expect(readdirSync(join(data, 'staging'))).toEqual([]);
  await stopUp(up);
  expect(await run(['recon', '--data', data])).toMatchObject({ status: 0 });
});

it('stops an ingest of which nobody waits for the end, and goes on; what was committed stays, and the same command takes the rest', async () => {
  const data = join(folder, 'stopped');
  const large = join(folder, 'large.jsonl');
  const lines = 160_000;
  writeImpressions(large, 0, lines);
  const up = await startUp(data, NO_LAKE);
  const running = start(['ingest', 'ad-impressions', large, '--data', data], NO_LAKE);
  await eventually(async () => Number((await query(data, 'select count(*) as n from ops.batches'))[0]?.['n']) > 0, 60_000);
  const second = start(['ingest', 'users', '-', '--data', data], NO_LAKE);
  second.child.stdin?.end(users('ann'));
  running.child.kill('SIGINT');
  expectFailure(
    { ...(await running.ended), stderr: (await running.ended).stderr.replace(/^The running.*\n/, '') },
    3,
    'interrupted',
    /Stopped\. What was committed stays/,
  );
  expect(await second.ended).toMatchObject({ status: 0 });
  expect(up.child.exitCode).toBeNull();
  const rest = await run(['ingest', 'ad-impressions', large, '--data', data, '--format', 'json'], NO_LAKE);
  const { outcomes, files } = JSON.parse(rest.stdout);
  expect(files[0]).toMatchObject({ done: true, outcomes: { received: lines + Math.floor(lines / 97) } });
  expect(outcomes.received).toBeLessThan(lines);
  await stopUp(up);
  expect(await query(data, 'select count(*) as n, count(distinct user_id || event_time::varchar) as events from silver.impressions')).toMatchObject([
    { n: files[0].outcomes.accepted },
  ]);
  expect(await run(['recon', '--data', data])).toMatchObject({ status: 0 });
});

it('shows its sources in status, and tells those who wait when it ends', async () => {
  const data = join(folder, 'shown');
  const incoming = join(folder, 'incoming');
  mkdirSync(incoming);
  writeFileSync(join(incoming, 'a.csv'), users('ann'));
  const config = join(folder, 'folders.yaml');
  writeFileSync(config, 'sources:\n  folders:\n    - feed: users\n      path: incoming\n      quiet_seconds: 0\nlake:\n  after_ingest: false\n');
  const up = await startUp(data, {}, ['--config', config, '--watch', `campaigns=${join(folder, 'none')}`, '--stdin', 'ad-impressions']);
  const status = async () => JSON.parse((await run(['status', '--data', data, '--format', 'json'])).stdout).sources as { name: string; state: string }[];
  await eventually(async () => (await status()).some((source) => source.name === incoming && 'takenFiles' in source && source.takenFiles === 1), 60_000);
  expect((await status()).map(({ name, state }) => [name.replace(folder, ''), state])).toEqual([
    ['http', 'idle'],
    ['stdin', 'idle'],
    ['/incoming', 'idle'],
    ['/none', 'failing'],
    ['commands', 'idle'],
  ]);
  const waiting = start(['ingest', 'users', '-', '--data', data]);
  // It has found the owner, and keeps what is piped in for it.
  await eventually(() => readdirSync(join(data, 'staging')).some((name) => name.startsWith('standard-input-')), 60_000);
  up.child.kill('SIGTERM');
  expect(await up.ended).toMatchObject({ status: 0 });
  waiting.child.stdin?.end(users('bea'));
  expect(await waiting.ended).toMatchObject({ status: 3, stderr: expect.stringMatching(/\[interrupted\]/) });
  expect(JSON.parse((await run(['status', '--data', data, '--format', 'json'])).stdout)).not.toHaveProperty('sources');
});

it('ends with standard input where it is told to, with all of it committed', async () => {
  const data = join(folder, 'until-end');
  const up = start(['up', '--port', '0', '--data', data, '--stdin', 'users', '--encoding', 'csv', '--until-end'], NO_LAKE);
  up.child.stdin?.write('user_id\nann\n');
  up.child.stdin?.end('bea\ncea');
  expect(await up.ended).toMatchObject({ status: 0, stderr: expect.stringContaining('Standard input ended: 3 records taken.') });
  expect(await query(data, 'select user_id from ref.users order by 1')).toEqual([{ user_id: 'ann' }, { user_id: 'bea' }, { user_id: 'cea' }]);
  expectFailure(await run(['up', '--until-end', '--data', data]), 2, 'usage', /--until-end is about standard input/);
});
