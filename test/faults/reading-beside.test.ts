import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRows } from '../../src/app/result-tables.ts';
import { RemoteEngine } from '../../src/engines/remote/remote-engine.ts';
import { expectFailure, holds, type Running, run, start } from './command-line.ts';
import { withInstance } from './open-instance.ts';

/** While one process has the data, the commands that read ask it: real processes, through the socket that it left word of. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-beside-'));
const data = join(folder, 'held');
let reading: readonly (readonly string[])[];

beforeAll(async () => {
  expect(await run(['demo', '--events', '8000', '--data', data], {}, { cwd: folder })).toMatchObject({ status: 0 });
  const key = await value('select min(event_key) from silver.clicks where impression_key is not null');
  const id = await value('select min(quarantine_id) from ops.quarantine');
  reading = [
    ['query', 'select * from silver.events order by all'],
    ['query', 'select count(*), sum(valid_impressions) from gold.campaign_daily', '--as-of', '2'],
    ['report', 'campaigns', '--by', 'day', '--model', 'linear'],
    ['explain', 'event', key],
    ['quarantine', 'list'],
    ['quarantine', 'show', id],
    ['recon'],
    ['query', 'select * from read_csv($$/etc/passwd$$)'],
    ['query', 'select * from silver.events', '--as-of', '1000'],
    ['explain', 'conversion', 'ffffffff'],
  ];
});
afterAll(() => rmSync(folder, { recursive: true }));

async function value(sql: string): Promise<string> {
  const { stdout } = await run(['query', sql, '--format', 'json', '--data', data]);
  return String(Object.values(JSON.parse(stdout)[0])[0]);
}

function addressOf(): string {
  return JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')).reads.address;
}

/** A process that has the data until its standard input ends. */
async function holder(settings: Readonly<Record<string, string>> = {}): Promise<Running> {
  const running = start(['ingest', 'users', '-', '--data', data], settings);
  // What a killed one left says nothing of this one.
  for (let owner = 0; owner !== running.child.pid && running.child.exitCode === null; await pause(5)) {
    await holds(running, data);
    owner = Number(/"pid":(\d+)/.exec(readFileSync(join(data, 'owner.json'), 'utf8'))?.[1]);
  }
  return running;
}

/** All at once. */
const answers = () => Promise.all(reading.map(async (words) => ({ words, ...(await run([...words, '--data', data])) })));

it('says the same, to the byte, through another process as by itself; also of what is wrong', async () => {
  const alone = await answers();
  expect(alone.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, 0, 0, 2, 2, 2]);
  const running = await holder();
  expect(await answers()).toEqual(alone);
  const status = await run(['status', '--data', data]);
  expect(status).toMatchObject({ status: 0, stdout: expect.stringContaining('ad-impressions') });
  // Writing is the holder's alone.
  expectFailure(await run(['rebuild', '--data', data]), 3, 'data_locked', new RegExp(`PID ${running.child.pid}`));
  const address = addressOf();
  running.child.stdin?.end('user_id\nann\n');
  expect(await running.ended).toMatchObject({ status: 0 });
  expect(existsSync(dirname(address))).toBe(false);
});

it('ends with a message when the other process is killed in the middle, and what that leaves is in nobody’s way', async () => {
  const running = await holder();
  const address = addressOf();
  const asking = start(['query', "select range, repeat('x', 1000) from range(10_000_000)", '--format', 'csv', '--data', data]);
  await new Promise((resolve) => asking.child.stdout?.once('data', resolve));
  running.child.kill('SIGKILL');
  await running.ended;
  const { status, stderr } = await asking.ended;
  expect(status).toBe(3);
  expect(stderr).toMatch(
    new RegExp(`Error: The process that holds the data ended before it had answered: PID ${running.child.pid}, .+\\nNext: .+\\[interrupted\\]\\n$`),
  );
  expect(existsSync(address)).toBe(true);
  expect(await value('select count(*) > 1000 from silver.events')).toBe('true');
  const next = await holder();
  expect(existsSync(dirname(address))).toBe(false);
  expect(addressOf()).not.toBe(address);
  expect(await value('select count(*) > 1000 from silver.events')).toBe('true');
  next.child.stdin?.end('user_id\nbea\n');
  expect(await next.ended).toMatchObject({ status: 0 });
});

it('stops at the first signal', async () => {
  const running = await holder();
  const asking = start(['query', 'select count(*) from range(1_000_000_000) a, range(1_000_000) b', '--data', data]);
  await pause(3_000);
  asking.child.kill('SIGINT');
  expectFailure(await asking.ended, 3, 'interrupted', /Stopped/);
  running.child.stdin?.end('user_id\ncea\n');
  expect(await running.ended).toMatchObject({ status: 0 });
});

it('takes as long as is allowed, and no longer', async () => {
  const running = await holder({ ADVERTISEX_LIMITS_QUERY_SECONDS: '1' });
  const asked = await run(['query', 'select count(*) from range(1_000_000_000) a, range(1_000_000) b', '--data', data]);
  expectFailure(asked, 3, 'query_timeout', /longer than 1 s/);
  running.child.stdin?.end('user_id\ndea\n');
  expect(await running.ended).toMatchObject({ status: 0 });
});

it('sees whole batches alone while an ingest commits one after the other, which goes on as if nobody read', async () => {
  const traffic = join(folder, 'traffic');
  const busy = join(folder, 'busy');
  expect(await run(['generate', traffic, '--events', '12000', '--seed', '7'])).toMatchObject({ status: 0 });
  const feeds = ['ad-impressions', 'clicks-conversions', 'bid-requests'].flatMap((feed) => [feed, join(traffic, feed)]);
  const ingest = ['ingest', ...feeds, '--data', busy];
  const running = start(ingest, { ADVERTISEX_LIMITS_BATCH_RECORDS: '600' });
  await holds(running, busy);
  const seen = new Set<bigint>();
  let remote = 0;
  while (running.child.exitCode === null) {
    await withInstance(busy, { access: 'read' }, async ({ engine }) => {
      if (!(engine instanceof RemoteEngine)) return;
      const asked = `select (select coalesce(max(batch_id), 0) from ops.batches) as batch,
        (select coalesce(sum(accepted), 0)::bigint from ops.ledger where feed in ('ad-impressions', 'clicks-conversions', 'bid-requests')) as accepted,
        (select count(*) from silver.events) as events,
        (select coalesce(sum(impressions + clicks + bid_requests), 0)::bigint from gold.campaign_hourly) as summed,
        (select count(*) from silver.events where event_type <> 'conversion') as summable`;
      const [[batch, accepted, events, summed, summable]] = (await readRows(await engine.query(asked))) as [bigint[]];
      expect(events).toBe(accepted);
      expect(summed).toBe(summable);
      seen.add(batch as bigint);
      remote++;
    }).catch((error) => {
      // Between two looks it may have ended.
      if (error.code !== 'interrupted' && error.code !== 'data_locked') throw error;
    });
  }
  expect(await running.ended).toMatchObject({ status: 0 });
  expect(remote).toBeGreaterThan(3);
  expect(seen.size).toBeGreaterThan(3);
  const aside = join(folder, 'aside');
  expect(await run([...ingest.slice(0, -1), aside])).toMatchObject({ status: 0 });
  const report = (directory: string) => run(['report', 'campaigns', '--by', 'day', '--format', 'csv', '--data', directory]);
  expect(await report(busy)).toEqual(await report(aside));
  expect(await run(['recon', '--data', busy])).toMatchObject({ status: 0 });
});
