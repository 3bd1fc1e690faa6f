import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { hashOfToken } from '../../src/server/tokens.ts';
import { METRICS } from '../../src/telemetry/metric-table.ts';
import { run } from '../faults/command-line.ts';
import { readExposition, sumOf } from '../telemetry/read-exposition.ts';
import { eventually } from './open-small-live.ts';
import { startUp, stopUp } from './running-up.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-up-telemetry-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SECRETS = { ingest: 'ingest-s3cr3t', read: 'read-s3cr3t', user: 'user-4711', creative: 'creative-0815' };
const readLines = (stderr: string) =>
  stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it('shows its metrics to readers, and logs for programs, without what is nobody else’s', async () => {
  const tokens = join(folder, 'tokens.txt');
  writeFileSync(tokens, `ingest ${hashOfToken(SECRETS.ingest)}\nread ${hashOfToken(SECRETS.read)}\n`);
  const settings = { ADVERTISEX_SERVER_TOKENS: tokens, ADVERTISEX_LOG_LEVEL: 'debug', ADVERTISEX_SERVER_REDIRECT_HOSTS: '[shop.example]' };
  const up = await startUp(join(folder, 'data'), settings, ['--log', 'json']);
  const record = { creative_id: SECRETS.creative, user_id: SECRETS.user, timestamp: '2026-03-02T10:00:00Z', website: 'w.example' };
  const send = (token: string, body: string) =>
    fetch(`${up.url}/v1/events/ad-impressions`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${token}`, 'x-request-id': 'my-request' },
      body,
    });
  expect((await send(SECRETS.ingest, `${JSON.stringify(record)}\n{"user_id":"${SECRETS.user}"}\n`)).status).toBe(200);
  expect((await send(SECRETS.read, '{}')).status).toBe(403);
  expect((await send('guess-s3cr3t', '{}')).status).toBe(401);
  for (const path of ['v1/pixel/ad-impressions.gif', 'v1/click', 'nothing'])
    await fetch(`${up.url}/${path}?user_id=${SECRETS.user}&creative_id=${SECRETS.creative}&url=${encodeURIComponent('https://shop.example/')}`, {
      redirect: 'manual',
    });
  const scrape = (token: string, accept = '') =>
    fetch(`${up.url}/metrics`, { headers: { authorization: `Bearer ${token}`, ...(accept === '' ? {} : { accept }) } });
  expect((await scrape(SECRETS.ingest)).status).toBe(403);
  let text = '';
  await eventually(async () => {
    text = await (await scrape(SECRETS.read)).text();
    return /^advertisex_events_total\{feed="clicks-conversions",source="http",outcome="quarantined"\} 1$/m.test(text);
  });
  const shown = readExposition(text);
  expect([...shown.keys()]).toEqual(Object.keys(METRICS));
  // But for what has not happened: no replay, no failure, no housekeeping, no reconciliation yet.
  const absent = [
    'replayed_total',
    'batch_failures_total',
    'kafka_lag_messages',
    'kafka_messages_total',
    'kafka_lost_messages_total',
    'kafka_failures_total',
    'archive_failures_total',
    'housekeeping_duration_seconds',
    'housekeeping_failures_total',
    'reconciliation_difference_rows',
    'reconciliation_timestamp_seconds',
    'reconciliation_duration_seconds',
  ];
  expect([...shown].filter(([, { samples }]) => samples.length === 0).map(([name]) => name.replace('advertisex_', ''))).toEqual(absent);
  expect(sumOf(shown, 'advertisex_events_total', { outcome: 'accepted' })).toBe(1);
  expect(sumOf(shown, 'advertisex_http_requests_total', { route: '/v1/events/:feed', status: '403' })).toBe(1);
  for (const name of [
    'advertisex_engine_memory_bytes',
    'advertisex_disk_free_bytes',
    'process_resident_memory_bytes',
    'advertisex_event_loop_delay_seconds_count',
  ])
    expect(sumOf(shown, name), name).toBeGreaterThan(0);
  const open = await (await scrape(SECRETS.read, 'application/openmetrics-text;version=1.0.0')).text();
  expect(readExposition(open, true).size).toBe(Object.keys(METRICS).length);
  await stopUp(up);

  const { stderr, stdout } = await up.ended;
  const lines = readLines(stderr);
  expect(lines.every((line) => ['level', 'time', 'event', 'message'].every((key) => typeof line[key] === 'string'))).toBe(true);
  const events = lines.map(({ event }) => event);
  expect([events[0], events.at(-1)]).toEqual(['started', 'stopped']);
  for (const event of ['request', 'batch_committed', 'stopping']) expect(events).toContain(event);
  expect(lines.find((line) => line['request_id'] === 'my-request')).toMatchObject({ method: 'POST', route: '/v1/events/:feed', status: '200' });
  expect(stdout).toBe('');
  for (const secret of [...Object.values(SECRETS), 'guess-s3cr3t', 'shop.example', 'w.example'])
    for (const said of [stderr, text, open]) expect(said).not.toContain(secret);
});

it('says why it does not start in the same way', async () => {
  const { status, stderr, stdout } = await run(['up', '--host', '0.0.0.0', '--port', '0', '--log', 'json', '--data', join(folder, 'wrong')]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(readLines(stderr)).toMatchObject([{ level: 'error', event: 'failed', error: { code: 'config_invalid', next: expect.stringContaining('tokens') } }]);
});

it('says a few sentences to people, and knows no other form', async () => {
  const up = await startUp(join(folder, 'loud'));
  await stopUp(up);
  expect((await up.ended).stderr.split('\n').length).toBe(3);
  const { status, stderr } = await run(['up', '--port', new URL(up.url).port, '--log', 'xml', '--data', join(folder, 'loud')]);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/--log.*xml.*text, json/) });
});
