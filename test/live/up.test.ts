import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashOfToken } from '../../src/server/tokens.ts';
import { expectFailure, run } from '../faults/command-line.ts';
import { filesOf, makeSmallDay } from '../faults/small-day.ts';
import { eventually } from './open-small-live.ts';
import { startUp, stopUp } from './running-up.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-up-'));
const traffic = join(folder, 'traffic');
beforeAll(async () => void (await makeSmallDay(traffic)));
afterAll(() => rmSync(folder, { recursive: true }));

const send = (url: string, feed: string, type: string, body: Uint8Array | string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/events/${feed}`, { method: 'POST', headers: { 'content-type': type, ...headers }, body: Buffer.from(body as string) });
const impression = (number: number, more: object = {}) =>
  JSON.stringify({ impression_id: `n${number}`, creative_id: 'k', user_id: 'u', timestamp: '2026-03-02T10:00:00Z', website: 'w.example', ...more });
const query = async (data: string, sql: string) => {
  const { status, stdout, stderr } = await run(['query', sql, '--format', 'json', '--data', data]);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>[];
};

it('takes what senders send, in each encoding, and has it all in the tables and in the lake when it is stopped', async () => {
  const data = join(folder, 'all');
  const up = await startUp(data);
  const files = [
    ...filesOf(traffic, 'ad-impressions').map((path) => ['ad-impressions', 'application/x-ndjson', path] as const),
    ...filesOf(traffic, 'bid-requests').map((path) => ['bid-requests', 'application/avro', path] as const),
    ...filesOf(traffic, 'clicks-conversions').map((path) => ['clicks-conversions', 'text/csv', path] as const),
  ];
  let received = 0;
  for (const [feed, type, path] of files) {
    const answer = await send(up.url, feed, type, gzipSync(readFileSync(path)), { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(200);
    received += ((await answer.json()) as { received: number }).received;
  }
  // While it runs: asked by another process.
  const impressions = 'select count(*) as n from silver.impressions';
  await eventually(async () => (await query(data, 'select count(*) as n from ops.batches where received > 0'))[0]?.['n'] !== 0);
  expect((await run(['recon', '--data', data])).status).toBe(0);
  const report = await run(['report', 'campaigns', '--data', data]);
  expect(report).toMatchObject({ status: 0, stdout: expect.stringContaining('impressions') });
  await stopUp(up);
  expect(Number((await query(data, impressions))[0]?.['n'])).toBeGreaterThan(100);
  expect(await query(data, 'select sum(received)::bigint as n, count(distinct feed) as feeds, any_value(source) as source from ops.ledger')).toEqual([
    { n: received, feeds: 3, source: 'http' },
  ]);
  expect((await run(['recon', '--data', data])).status).toBe(0);
  expect(JSON.parse((await run(['status', '--format', 'json', '--data', data])).stdout)).toMatchObject({ lakeBatch: expect.any(Number) });
});

it('has each record that it acknowledged in the tables once, after kills', async () => {
  const data = join(folder, 'killed');
  const acknowledged: number[] = [];
  for (const [round, milliseconds] of [5, 60, 400].entries()) {
    const up = await startUp(data);
    let next = round * 1_000_000;
    let isOver = false;
    const sending = Array.from({ length: 6 }, async () => {
      while (!isOver) {
        const number = next;
        next += 2;
        const body = `${impression(number)}\n${impression(number + 1)}\n`;
        await send(up.url, 'ad-impressions', 'application/x-ndjson', body).then(
          async (answer) => {
            if (answer.status === 200) acknowledged.push(number, number + 1);
          },
          () => undefined,
        );
      }
    });
    while (acknowledged.length < 20 * (round + 1)) await wait(1);
    await wait(milliseconds);
    up.child.kill('SIGKILL');
    isOver = true;
    await Promise.all([...sending, up.ended]);
  }
  const up = await startUp(data);
  await stopUp(up);
  expect((await up.ended).stderr).toMatch(/Found [\d,]+ records in the log that were taken and not committed/);
  const rows = await query(data, 'select impression_id as id, count(*) as copies from silver.impressions group by all');
  const copies = new Map(rows.map(({ id, copies }) => [id, copies]));
  expect(acknowledged.filter((number) => copies.get(`n${number}`) !== 1)).toEqual([]);
  expect([...copies.values()].every((times) => times === 1)).toBe(true);
});

it('asks for a token where there are any, and does not serve other machines without', async () => {
  const data = join(folder, 'tokens');
  const tokens = join(folder, 'tokens.txt');
  writeFileSync(tokens, `ingest ${hashOfToken('let-me-in')}\n`);
  const up = await startUp(data, { ADVERTISEX_SERVER_TOKENS: tokens });
  expect((await send(up.url, 'ad-impressions', 'application/json', impression(1))).status).toBe(401);
  expect((await send(up.url, 'ad-impressions', 'application/json', impression(1), { authorization: 'Bearer let-me-in' })).status).toBe(200);
  expect((await fetch(`${up.url}/healthz`)).status).toBe(200);
  await stopUp(up);
  expectFailure(await run(['up', '--host', '0.0.0.0', '--port', '0', '--data', data]), 2, 'config_invalid', /has no tokens/);
  expect(await query(data, 'select count(*) as n from silver.impressions')).toEqual([{ n: 1 }]);
});

it('says what is wrong with its settings, and that its address is taken', async () => {
  const data = join(folder, 'wrong');
  expect(await run(['up', '--port', '70000', '--data', data])).toMatchObject({ status: 2, stderr: expect.stringMatching(/^Error: .*--port.*70000/) });
  expectFailure(await run(['up', '--data', data], { ADVERTISEX_SERVER_CERTIFICATE: 'c.pem' }), 2, 'config_invalid', /go together/);
  const up = await startUp(data);
  const port = new URL(up.url).port;
  expectFailure(await run(['up', '--port', port, '--data', join(folder, 'other')]), 3, 'server_failed', new RegExp(port));
  await stopUp(up);
});
