import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeFigures, fakeFigures } from '../../../test/server/fake-figures.ts';
import { postJson, send, startServer, type TestServer } from '../../../test/server/test-server.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { hashOfToken } from '../tokens.ts';

let figures: FakeFigures;
let server: TestServer;
beforeEach(async () => {
  figures = fakeFigures();
  server = await startServer({ figures });
});
afterEach(() => server.close());

/** Every address that is only read. */
const READS = [
  '/v1/reports/campaigns',
  '/v1/batches',
  '/v1/quarantine',
  '/v1/quarantine/00ff',
  '/v1/ledger',
  '/v1/restatements',
  '/v1/files',
  '/v1/recon',
  '/v1/explain/event/00ff',
];

it.each([
  '/v1/reports/campaigns?from=2026-02-30',
  '/v1/reports/campaigns?from=2026-3-1',
  "/v1/reports/campaigns?to=2026-03-01'%20or%201=1",
  '/v1/reports/campaigns?by=week',
  '/v1/reports/campaigns?model=last',
  '/v1/reports/campaigns?model=constructor',
  '/v1/reports/campaigns?campaign=',
  '/v1/reports/campaigns?campaign=a&campaign=b',
  '/v1/reports/campaigns?campain=a',
  '/v1/reports/campaigns?as_of=0',
  '/v1/reports/campaigns?as_of=1.5',
  '/v1/reports/campaigns?as_of=1e3',
  '/v1/reports/campaigns?as_of=99999999999999999999',
  '/v1/batches?limit=0',
  '/v1/batches?limit=1001',
  '/v1/batches?limit=-1',
  '/v1/quarantine?code=bad',
  '/v1/quarantine?feed=x',
  '/v1/quarantine?since=yesterday',
  '/v1/quarantine?path=%00',
  '/v1/quarantine/zz',
  '/v1/quarantine/0123456789abcdef0123456789abcdef0',
  '/v1/explain/event/00f',
  '/v1/explain/click/00ff',
])('%s is refused, with what is wrong', async (path) => {
  const answer = await send(server, path);
  expect(answer).toMatchObject({ status: 400, headers: { 'content-type': 'application/problem+json' } });
  expect(answer.json).toMatchObject({ type: 'urn:advertisex:error:request_invalid', detail: expect.stringMatching(/cannot be read: ./) });
  expect(figures.asked).toEqual([]);
});

describe('what somebody has already', () => {
  it.each(READS.filter((path) => !/recon|ledger|restatements|files/.test(path)))('is not read again until something is committed: %s', async (path) => {
    const first = await send(server, path);
    expect(first).toMatchObject({ status: 200, headers: { 'cache-control': 'private, no-cache', vary: 'Accept' } });
    const etag = first.headers.etag as string;
    const asked = figures.asked.length;
    for (const held of [etag, `"x", ${etag}`, etag.replace('W/', ''), '*']) {
      const answer = await send(server, path, { headers: { 'if-none-match': held } });
      expect(answer).toMatchObject({ status: 304, body: '', headers: { etag, 'cache-control': 'private, no-cache' } });
    }
    expect(figures.asked).toHaveLength(asked);
    expect(await send(server, path, { headers: { 'if-none-match': etag, accept: 'text/csv' } })).toMatchObject({ status: 200 });
    figures.lastBatch++;
    const later = await send(server, path, { headers: { 'if-none-match': etag } });
    expect(later.status).toBe(200);
    expect(later.headers.etag).not.toBe(etag);
  });

  it('is not known of a failure', async () => {
    figures.campaigns = () => Promise.reject(new AdvertiseXError('query_timeout', 'Too long', 'Ask for less.'));
    const answer = await send(server, '/v1/reports/campaigns');
    expect(answer).toMatchObject({ status: 503, headers: { 'cache-control': 'no-store' } });
    expect(answer.headers.etag).toBeUndefined();
  });

  it('depends on what was accepted, and on the page that asks where pages may', async () => {
    const open = await startServer({ figures, allowedOrigins: ['https://dashboard.example'] });
    expect((await send(open, '/v1/batches')).headers['vary']).toBe('Origin, Accept');
    await open.close();
  });

  it('is told by the tag of another address or another process', async () => {
    const tagOf = async (of: TestServer, path: string) => (await send(of, path)).headers.etag;
    const other = await startServer({ figures, secret: Buffer.alloc(32, 8) });
    const tags = [
      await tagOf(server, '/v1/reports/campaigns'),
      await tagOf(server, '/v1/reports/campaigns?by=day'),
      await tagOf(server, '/v1/batches'),
      await tagOf(other, '/v1/batches'),
    ];
    expect(new Set(tags).size).toBe(4);
    await other.close();
  });

  it('is not known of what follows from more than the last batch', async () => {
    for (const answer of [await send(server, '/v1/recon'), await postJson(server, '/v1/query', { sql: 's' })]) {
      expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
      expect(answer.headers.etag).toBeUndefined();
    }
  });
});

it('reads as of the batch that it was asked for, else of the last one', async () => {
  for (const path of READS) await send(server, path);
  expect(figures.readings.map(({ asOf }) => asOf)).toEqual(READS.map((path) => (path === '/v1/recon' ? null : 7)));
  await send(server, '/v1/reports/campaigns?as_of=3&model=linear&from=2026-03-01&campaign=c%27');
  expect(figures.asked.at(-1)).toEqual(['campaigns', { from: '2026-03-01', campaign: "c'", model: 'linear' }]);
  expect(figures.readings.at(-1)?.asOf).toBe(3);
  for (const { stop } of figures.readings) if (!stop.signal.aborted) await once(stop.signal, 'abort');
});

it('shows bytes that are no text, times, and what is broken', async () => {
  expect((await send(server, '/v1/quarantine/00FF')).json).toMatchObject({ raw_base64: '/w==', received_at: '1970-01-01T00:00:00.000001Z', replayed_at: null });
  expect((await send(server, '/v1/explain/event/00ff')).json).toMatchObject({
    event_type: 'click',
    event: { position: '1152921504606846976' },
    candidates: null,
  });
  expect(await send(server, '/v1/explain/conversion/00ff')).toMatchObject({ status: 404, json: { next: 'Ask for /v1/explain/event/00ff.' } });
  expect((await send(server, '/v1/recon')).json).toEqual({
    holds: false,
    equations: [{ equation: 1, name: 'outcomes', statement: 'a = b', holds: false, broken_rows: 1, rows: [{ n: 1, t: '1970-01-01T00:00:00Z', x: 'b' }] }],
  });
});

it('replays what is chosen', async () => {
  const answer = await postJson(server, '/v1/quarantine/replay', { code: 'unknown_currency', ids: ['00ff'] });
  expect(answer).toMatchObject({ status: 200, json: { replayed: 2, accepted: 1, duplicate: 0, still_quarantined: 1, batches: [8] } });
  expect(figures.asked).toEqual([['replay', { code: 'unknown_currency', ids: ['00ff'] }]]);
  for (const body of [{ ids: [] }, { ids: ['x'] }, { all: true }, { feeds: [] }, 'null', '']) {
    expect((await postJson(server, '/v1/quarantine/replay', body)).status).toBe(400);
  }
  // Nothing chosen is not everything.
  expect((await send(server, '/v1/quarantine/replay', { method: 'POST' })).status).toBe(400);
  expect(figures.asked).toHaveLength(1);
});

it('is for those who may read; replaying is for admins', async () => {
  const tokens = (['ingest', 'read', 'admin'] as const).map((role) => ({ sha256: hashOfToken(role), roles: [role] }));
  const closed = await startServer({ figures, tokens });
  const as = (role: string) => ({ authorization: `Bearer ${role}`, 'content-type': 'application/json' });
  for (const path of READS) {
    expect((await send(closed, path)).status, path).toBe(401);
    expect((await send(closed, path, { headers: as('ingest') })).status, path).toBe(403);
    expect((await send(closed, path, { headers: as('read') })).status, path).not.toBe(403);
  }
  const query = { body: '{"sql":"s"}' };
  expect((await send(closed, '/v1/query', { ...query, headers: as('ingest') })).status).toBe(403);
  expect((await send(closed, '/v1/query', { ...query, headers: as('read') })).status).toBe(200);
  expect((await send(closed, '/v1/quarantine/replay', { body: '{}', headers: as('read') })).status).toBe(403);
  expect((await send(closed, '/v1/quarantine/replay', { body: '{}', headers: as('admin') })).status).toBe(200);
  const { json } = await send(closed, '/openapi.json');
  expect(json).toMatchObject({
    paths: {
      '/v1/query': { post: { security: [{ token: ['read'] }] } },
      '/v1/quarantine/replay': { post: { security: [{ token: ['admin'] }] } },
      '/healthz': { get: { security: [] } },
    },
  });
  await closed.close();
});
