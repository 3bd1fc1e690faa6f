import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { type Instance, openInstance } from '../../src/app/instance.ts';
import { InstanceFigures } from '../../src/app/instance-figures.ts';
import type { LivePipeline } from '../../src/app/live/live-pipeline.ts';
import { reportCampaigns } from '../../src/app/report-campaigns.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import type { DuckDbEngine } from '../../src/engines/duckdb/duckdb-engine.ts';
import { RemoteEngine } from '../../src/engines/remote/remote-engine.ts';
import { renderJsonRows } from '../../src/rendering/render-json.ts';
import { instanceOptions } from '../faults/open-instance.ts';
import { callsFor, makeSmallDay } from '../faults/small-day.ts';
import { type Answer, postJson, send, startServer, type TestServer } from '../server/test-server.ts';
import { eventually, openSmallLive } from './open-small-live.ts';

/** The API over an engine, a pipeline and a server as `up` has them. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-api-'));
let instance: Instance;
let live: LivePipeline;
let figures: InstanceFigures;
let server: TestServer;

beforeAll(async () => {
  const traffic = await makeSmallDay(join(folder, 'traffic'));
  const options = instanceOptions(join(folder, 'data'));
  const limits = { threads: 2, memory: '300MB' };
  instance = await openInstance({ ...options, settings: settingsSchema.parse({ limits }) });
  // What comes first is restated by what comes later.
  const [reference, ...events] = callsFor(traffic);
  for (const requests of [reference, ...events.reverse()]) await ingestFiles(instance, requests ?? []);
  figures = await InstanceFigures.open(instance);
  const opened = await openSmallLive(instance);
  live = opened.live;
  server = await startServer({ figures, collector: live });
});
afterAll(async () => {
  await server.close();
  await live.stop();
  await instance.close();
  rmSync(folder, { recursive: true });
});

const query = async (sql: string): Promise<unknown[][]> => {
  const answer = await postJson(server, '/v1/query', { sql });
  expect(answer.status, answer.body).toBe(200);
  return answer.json['rows'] as unknown[][];
};
const rowsOf = (answer: Answer) => answer.json['rows'] as Record<string, unknown>[];
/** Sends records, and waits for their batch. */
const take = async (feed: string, ...records: object[]): Promise<void> => {
  const before = figures.lastBatch;
  await send(server, `/v1/events/${feed}`, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(records) });
  await eventually(() => figures.lastBatch > before);
};
const click = (number: number, more: object = {}) => ({
  event_id: `e${number}`,
  event_type: 'click',
  timestamp: '2026-03-02T10:00:00Z',
  user_id: 'u',
  campaign_id: 'c',
  conversion_type: '',
  ...more,
});
/** Statements of others that the engine is at work on. */
const reading = (): number => (instance.engine as DuckDbEngine).reading;

describe('figures', () => {
  it('are those of the command line', async () => {
    for (const [search, options] of [
      ['', {}],
      ['?by=day&model=linear&from=2026-03-02&to=2026-03-03', { by: 'day', model: 'linear', from: '2026-03-02', to: '2026-03-03' }],
      ['?by=hour&as_of=2', { by: 'hour', asOf: 2 }],
    ] as const) {
      let printed = '';
      for await (const part of renderJsonRows(await reportCampaigns(instance, options))) printed += part;
      const answer = await send(server, `/v1/reports/campaigns${search}`);
      expect(answer.json).toEqual({ as_of: 'asOf' in options ? 2 : figures.lastBatch, rows: JSON.parse(printed) });
      const csv = await send(server, `/v1/reports/campaigns${search}`, { headers: { accept: 'text/csv' } });
      expect(csv.body.split('\r\n')).toHaveLength(JSON.parse(printed).length + 2);
    }
  });

  it('are told of without being sent (HEAD)', async () => {
    const answer = await send(server, '/v1/reports/campaigns?by=hour', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '', headers: { etag: expect.any(String) } });
  });

  it('of one campaign are its row of all', async () => {
    const [, second] = rowsOf(await send(server, '/v1/reports/campaigns'));
    const one = await send(server, `/v1/reports/campaigns?campaign=${encodeURIComponent(String(second?.['campaign_id']))}`);
    expect(rowsOf(one)).toEqual([second]);
  });

  it('come without the reach where that is not asked for, and are the same otherwise', async () => {
    const withReach = rowsOf(await send(server, '/v1/reports/campaigns?by=day'));
    expect(withReach.some(({ reach }) => Number(reach) > 0)).toBe(true);
    expect(rowsOf(await send(server, '/v1/reports/campaigns?by=day&reach=false'))).toEqual(withReach.map((row) => ({ ...row, reach: null, frequency: null })));
  });

  it('follow what is taken, and are not read again before', async () => {
    const report = '/v1/reports/campaigns?campaign=follows';
    const first = await send(server, report);
    const etag = first.headers.etag as string;
    expect(rowsOf(first)).toEqual([]);
    expect((await send(server, report, { headers: { 'if-none-match': etag } })).status).toBe(304);
    await take('clicks-conversions', click(1, { campaign_id: 'follows' }));
    const later = await send(server, report, { headers: { 'if-none-match': etag } });
    expect(rowsOf(later)).toMatchObject([{ campaign_id: 'follows', clicks: 1 }]);
    // As of before it is still what it was.
    expect(rowsOf(await send(server, `${report}&as_of=${first.json['as_of']}`))).toEqual([]);
  });

  it('are explained, and reconciled', async () => {
    const [[key, touch]] = (await query('select conversion_key, touch_key from gold.attribution where touch_key is not null limit 1')) as [[string, string]];
    const explained = await send(server, `/v1/explain/conversion/${key}`);
    expect(explained.json).toMatchObject({ event_type: 'conversion', event: { event_key: key } });
    const candidates = explained.json['candidates'] as { touch_key: string; verdict: string }[];
    expect(candidates.find(({ touch_key }) => touch_key === touch)?.verdict).toMatch(/^credited/);
    expect((await send(server, `/v1/explain/event/${touch}`)).json).toMatchObject({ event: { event_key: touch, event_time: expect.stringMatching(/Z$/) } });
    expect(await send(server, '/v1/explain/event/00000000')).toMatchObject({ status: 404 });
    expect(await send(server, '/v1/recon')).toMatchObject({ status: 200, json: { holds: true } });
  });

  it('of a batch that was not committed are not there', async () => {
    for (const path of ['/v1/reports/campaigns', '/v1/batches', '/v1/quarantine', '/v1/explain/event/0000']) {
      expect(await send(server, `${path}?as_of=${figures.lastBatch + 1}`), path).toMatchObject({
        status: 404,
        json: { detail: expect.stringContaining('no batch') },
      });
    }
    expect(await postJson(server, '/v1/query', { sql: 'select 1', as_of: figures.lastBatch + 1 })).toMatchObject({ status: 404 });
  });
});

describe('lists', () => {
  it.each(['batches', 'ledger', 'restatements', 'files', 'quarantine'])('of %s have every row once, in their order, while more are taken', async (list) => {
    const whole: string[] = [];
    const first = await send(server, `/v1/${list}?limit=1000`);
    expect(first.status, first.body).toBe(200);
    expect(rowsOf(first).length).toBeGreaterThan(3);
    for (const row of rowsOf(first)) whole.push(JSON.stringify(row));
    expect(new Set(whole).size).toBe(whole.length);
    const limit = Math.max(1, Math.floor(whole.length / 3));
    const paged: string[] = [];
    for (let path: string | null = `/v1/${list}?limit=${limit}`; path !== null; ) {
      const page = await send(server, path);
      expect(page.status, page.body).toBe(200);
      paged.push(...rowsOf(page).map((row) => JSON.stringify(row)));
      path = page.json['next'] as string | null;
      // A row for each of the books, the quarantine included.
      await take('ad-impressions', { creative_id: '', user_id: 'u', timestamp: '2026-03-02T10:00:00Z', website: `w${paged.length}.example` });
    }
    expect(paged).toEqual(whole);
  });

  it('are filtered', async () => {
    const [{ feed, code, path }] = rowsOf(await send(server, '/v1/quarantine?limit=1')) as [{ feed: string; code: string; path: string }];
    const [[records]] = (await query(
      `select count(*) from ops.quarantine where replayed_at is null and feed = '${feed}' and code = '${code}' and path = '${path}'`,
    )) as [[number]];
    const filtered = await send(server, `/v1/quarantine?limit=1000&${new URLSearchParams({ feed, code, path })}`);
    expect(rowsOf(filtered)).toHaveLength(records);
    expect(rowsOf(await send(server, '/v1/quarantine?until=2020-01-01'))).toEqual([]);
    expect(rowsOf(await send(server, '/v1/quarantine?since=2020-01-01')).length).toBeGreaterThan(0);
    expect(new Set(rowsOf(await send(server, '/v1/ledger?batch_id=1')).map(({ batch_id }) => batch_id))).toEqual(new Set([1]));
  });

  it('of the quarantine lead to whole records, which are replayed once what was in their way is gone', async () => {
    await take('clicks-conversions', click(2, { event_type: 'conversion', conversion_type: 'purchase', value: '1.5', currency: 'CHF' }));
    const found = rowsOf(await send(server, '/v1/quarantine?code=unknown_currency'));
    const record = found.find(({ source }) => source === 'http') as Record<string, unknown>;
    const id = String(record['quarantine_id']);
    expect((await send(server, `/v1/quarantine/${id}`)).json).toMatchObject({
      quarantine_id: id,
      raw: expect.stringContaining('CHF'),
      violations: [{ code: 'unknown_currency' }],
    });
    expect((await postJson(server, '/v1/quarantine/replay', { ids: [id] })).json).toMatchObject({ replayed: 1, accepted: 0, still_quarantined: 1 });
    await take('currency-rates', { currency: 'CHF', rate_date: '2026-03-02', rate: '1.1' });
    // Asked twice at the same time it is replayed once.
    const replays = await Promise.all([postJson(server, '/v1/quarantine/replay', { ids: [id] }), postJson(server, '/v1/quarantine/replay', { ids: [id] })]);
    expect(replays.map(({ json }) => [json['replayed'], json['accepted']]).sort()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect((await send(server, `/v1/quarantine/${id}`)).json).toMatchObject({ replayed_at: expect.stringMatching(/Z$/) });
    expect(await send(server, '/v1/recon')).toMatchObject({ json: { holds: true } });
  });
});

describe('what is asked', () => {
  const EVIL = ["' or 1=1 --", "'; drop table store.batches; --", '$feed', '" or ""="', "\\' or true --", 'x\u2019', '%', "') union select 1 --"];

  it.each(EVIL)('is looked for, not run: %s', async (text) => {
    const search = new URLSearchParams({ campaign: text });
    expect(rowsOf(await send(server, `/v1/reports/campaigns?${search}`))).toEqual([]);
    for (const [list, name] of [
      ['quarantine', 'path'],
      ['ledger', 'source'],
      ['restatements', 'table_name'],
    ]) {
      const answer = await send(server, `/v1/${list}?${new URLSearchParams({ [name as string]: text })}`);
      expect(answer).toMatchObject({ status: 200, json: { rows: [], next: null } });
    }
  });

  it.each([
    "select * from read_text('/etc/passwd')",
    "select * from '/etc/passwd'",
    "copy (select 1) to '/tmp/x'",
    'drop table store.batches',
    'select 1; drop table store.batches',
    'insert into store.batches values (1)',
    "attach 'x.duckdb'",
    'set memory_limit = 0',
    'pragma database_list',
    "select * from query('drop table store.batches')",
    'select getenv($home)',
    'select * from no_such_table',
    'selct 1',
    ';',
    ' ',
  ])('is run where it reads tables, and nothing else: %s', async (sql) => {
    expect(await postJson(server, '/v1/query', { sql })).toMatchObject({ status: 400, json: { type: 'urn:advertisex:error:query_invalid' } });
  });

  it('is stopped when nobody waits for it', async () => {
    const slow = 'select count(*) from range(1000000000) a, range(1000000) b';
    for (const sql of [slow, 'select range from range(1000000000000)']) {
      const asking = request(new URL('/v1/query', server.url), {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json', accept: 'text/csv' },
      });
      asking.on('error', () => undefined).on('response', (response) => response.pause().on('error', () => undefined));
      asking.end(JSON.stringify({ sql }));
      await eventually(() => reading() > 0);
      asking.destroy();
      await eventually(() => reading() === 0, 1_500);
    }
  });

  it('waits for a place where others have them, by whichever door they came', async () => {
    const { reads } = JSON.parse(readFileSync(instance.directory.owner, 'utf8'));
    const other = (await RemoteEngine.open(reads, 'PID 7')) as RemoteEngine;
    const stop = new AbortController();
    const body = JSON.stringify({ sql: 'select count(*) from range(1000000000) a, range(1000000) b' });
    const headers = { 'content-type': 'application/json' };
    const slow = [0, 1].map(() => fetch(`${server.url}/v1/query`, { method: 'POST', headers, body, signal: stop.signal }).catch(() => undefined));
    await eventually(() => reading() === 2);
    let isAnswered = false;
    const asking = other.rows('select 1 as a').then((rows) => {
      isAnswered = true;
      return rows;
    });
    await pause(300);
    expect(isAnswered).toBe(false);
    stop.abort();
    expect(await asking).toEqual([{ a: 1 }]);
    await Promise.all(slow);
    await other.close();
  });

  it('may be long: it is sent as it is taken, and is nowhere in between', async () => {
    const held = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
    const before = held();
    let bytes = 0;
    let most = 0;
    const sql = "select range as n, repeat('x', 1000) as x from range(200000)";
    await new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', accept: 'text/csv' };
      const asking = request(new URL('/v1/query', server.url), { method: 'POST', headers }, (response) => {
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          most = Math.max(most, held() - before);
        });
        response.on('end', resolve).on('error', reject);
      });
      asking.on('error', reject);
      asking.end(JSON.stringify({ sql }));
    });
    expect(bytes).toBeGreaterThan(200_000_000);
    expect(most).toBeLessThan(120_000_000);
  });

  it('leaves nothing behind', async () => {
    await eventually(() => reading() === 0);
    expect(server.reports).toEqual([]);
  });
});
