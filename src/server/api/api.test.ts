import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse as parseCsv } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endlessRows, type FakeFigures, fakeFigures } from '../../../test/server/fake-figures.ts';
import { type Answer, send, startServer, type TestServer } from '../../../test/server/test-server.ts';
import { AdvertiseXError, type ErrorCode } from '../../domain/errors.ts';
import { hashOfToken } from '../tokens.ts';

let figures: FakeFigures;
let server: TestServer;
beforeEach(async () => {
  figures = fakeFigures();
  server = await startServer({ figures, tracking: { redirectHosts: ['shop.example'] } });
});
afterEach(() => server.close());

const postJson = (path: string, body: unknown, headers = {}) =>
  send(server, path, { headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });

/** Every address with an answer of 200: the test of the description goes through them, and so do others. */
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

describe('a query', () => {
  it('gives columns and rows, exact in every digit', async () => {
    figures.rows = () => [
      [2n ** 53n - 1n, 1_773_480_413_589_793n, 'a "b"\n'],
      [2n ** 53n + 1n, null, null],
    ];
    const answer = await postJson('/v1/query', { sql: 'select 1' });
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' } });
    expect(answer.json).toEqual({
      as_of: null,
      columns: [
        { name: 'n', kind: 'integer' },
        { name: 't', kind: 'timestamp' },
        { name: 'x', kind: 'text' },
      ],
      rows: [
        [9007199254740991, '2026-03-14T09:26:53.589793Z', 'a "b"\n'],
        ['9007199254740993', null, null],
      ],
      more: false,
    });
    expect(figures.asked).toEqual([['query', 'select 1']]);
    expect(figures.readings[0]?.asOf).toBeNull();
  });

  it('says where there are more rows than it gives, and takes no more than that', async () => {
    let taken = 0;
    figures.rows = function* () {
      for (;;) yield [BigInt(taken++), 0n, ''];
    };
    for (const [limit, rows] of [
      [undefined, 1_000],
      [1, 1],
      [10_000, 10_000],
    ]) {
      taken = 0;
      const { json } = await postJson('/v1/query', { sql: 's', limit, as_of: 3 });
      expect(json).toMatchObject({ more: true, as_of: 3 });
      expect(json['rows']).toHaveLength(rows as number);
      expect(taken).toBe((rows as number) + 1);
    }
  });

  it('gives CSV where that is preferred', async () => {
    figures.rows = () => [
      [2n ** 60n, 0n, 'a,"b"\r\n'],
      [null, null, ''],
    ];
    const answer = await postJson('/v1/query', { sql: 's' }, { accept: 'text/csv' });
    expect(answer.headers['content-type']).toMatch(/^text\/csv/);
    expect(parseCsv(answer.body, { columns: true })).toEqual([
      { n: '1152921504606846976', t: '1970-01-01T00:00:00Z', x: 'a,"b"\r\n' },
      { n: '', t: '', x: '' },
    ]);
    expect((await postJson('/v1/query', { sql: 's', limit: 1 }, { accept: 'text/csv' })).body.split('\r\n')).toHaveLength(4);
    for (const accept of ['*/*', 'application/json, text/csv', 'text/csv;q=0.1, */*', 'text/html']) {
      expect((await postJson('/v1/query', { sql: 's' }, { accept })).headers['content-type'], accept).toMatch(/json/);
    }
  });

  it.each<[ErrorCode, number]>([
    ['query_invalid', 400],
    ['query_too_large', 422],
    ['query_timeout', 503],
    ['server_busy', 503],
    ['not_found', 404],
  ])('says why it was not answered: %s', async (code, status) => {
    figures.query = () => Promise.reject(new AdvertiseXError(code, 'It is because of this', 'Do that.'));
    const answer = await postJson('/v1/query', { sql: 's' });
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/problem+json' } });
    expect(answer.json).toMatchObject({ type: `urn:advertisex:error:${code}`, detail: 'It is because of this', next: 'Do that.' });
    expect(answer.headers['retry-after']).toBe(code === 'server_busy' ? '1' : undefined);
  });

  it.each([
    ['nothing', '{}'],
    ['no JSON', '{"sql":'],
    ['an empty body', ''],
    ['another field', '{"sql":"s","format":"csv"}'],
    ['no text', '{"sql":1}'],
    ['an empty text', '{"sql":""}'],
    ['a NUL character', '{"sql":"select 1\\u0000"}'],
    ['too many rows', '{"sql":"s","limit":10001}'],
    ['a batch before the first', '{"sql":"s","as_of":0}'],
    ['a prototype', '{"sql":"s","__proto__":{"limit":1}}'],
    ['a list', '[]'],
  ])('is refused: %s', async (_, body) => {
    expect(await postJson('/v1/query', body)).toMatchObject({ status: 400, json: { type: 'urn:advertisex:error:request_invalid', next: expect.any(String) } });
    expect(figures.asked).toEqual([]);
  });

  it('is refused where it is no JSON, with what is', async () => {
    const answer = await send(server, '/v1/query', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'sql=select+1' });
    expect(answer).toMatchObject({ status: 415, headers: { 'accept-post': 'application/json' } });
  });
});

describe('rows of any number', () => {
  /** A client that reads when it is told to. */
  async function ask(): Promise<{ asking: ClientRequest; response: IncomingMessage }> {
    const asking = request(new URL('/v1/query', server.url), {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', accept: 'text/csv' },
    });
    asking.on('error', () => undefined);
    asking.end('{"sql":"s"}');
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    return { asking, response };
  }

  it('are read no faster than they are taken, and no more once nobody takes them', async () => {
    const endless = endlessRows(() => figures.readings[0]);
    figures.rows = endless.rows;
    const { asking, response } = await ask();
    response.pause();
    let before = -1;
    while (before !== endless.taken) {
      before = endless.taken;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // What is on its way: the buffers of the system, and a piece or two.
    expect(endless.taken).toBeLessThan(20_000);
    expect(figures.readings[0]?.stop.signal.aborted).toBe(false);
    asking.destroy();
    if (!figures.readings[0]?.stop.signal.aborted) await once(figures.readings[0]?.stop.signal as AbortSignal, 'abort');
    expect(server.reports).toEqual([]);
  });

  it('are broken off where they fail on the way, so that nobody takes a part for the whole', async () => {
    const endless = endlessRows(() => figures.readings[0]);
    figures.rows = endless.rows;
    const { response } = await ask();
    figures.readings[0]?.stop.abort(new AdvertiseXError('query_timeout', 'Too long', 'Ask for less.'));
    response.resume();
    const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    expect(await send(server, '/healthz')).toMatchObject({ status: 200 });
  });

  it('fail as a problem document where nothing was sent yet', async () => {
    figures.rows = function* () {
      yield [1n, 0n, 'a'];
      throw new AdvertiseXError('query_too_large', 'Too much', 'Ask for less.');
    };
    expect(await postJson('/v1/query', { sql: 's' })).toMatchObject({ status: 422, json: { detail: 'Too much' } });
  });

  it('are let go of before they begin, where whoever asked is gone', async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    figures.query = (_, { stop }) =>
      new Promise((__, reject) => {
        begun.resolve(stop.signal);
        stop.signal.addEventListener('abort', () => reject(new AdvertiseXError('interrupted', 'Stopped', 'Nothing.')));
      });
    const asking = request(new URL('/v1/query', server.url), { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } });
    asking.on('error', () => undefined);
    asking.end('{"sql":"s"}');
    const signal = await begun.promise;
    asking.destroy();
    if (!signal.aborted) await once(signal, 'abort');
    expect(await send(server, '/healthz')).toMatchObject({ status: 200 });
    expect(server.reports).toEqual([]);
  });
});

describe('pages', () => {
  const next = (answer: Answer) => answer.json['next'] as string | null;

  it('have every row once, while more are added', async () => {
    const seen: number[] = [];
    for (let path: string | null = '/v1/batches?limit=3'; path !== null; ) {
      const answer = await send(server, path);
      expect(answer).toMatchObject({ status: 200, json: { as_of: 7 } });
      const rows = answer.json['rows'] as { batch_id: number; received: string }[];
      expect(rows[0]?.received).toBe('1152921504606846976');
      seen.push(...rows.map(({ batch_id }) => batch_id));
      path = next(answer);
      expect(answer.headers.link).toBe(path === null ? undefined : `<${path}>; rel="next"`);
      figures.lastBatch += 5;
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it('go on only where a cursor was made for them', async () => {
    const cursor = new URL((next(await send(server, '/v1/batches?limit=3&as_of=5')) as string).replace(/^/, server.url)).searchParams.get('cursor') as string;
    expect(await send(server, `/v1/batches?as_of=5&limit=1&cursor=${cursor}`)).toMatchObject({ status: 200, json: { rows: [{ batch_id: 2 }] } });
    const forged = `${cursor.slice(0, -4)}${cursor.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    for (const path of [
      `/v1/batches?as_of=5&cursor=${forged}`,
      `/v1/batches?as_of=6&cursor=${cursor}`,
      `/v1/batches?cursor=${cursor}`,
      `/v1/files?as_of=5&cursor=${cursor}`,
      '/v1/batches?cursor=x',
      '/v1/batches?cursor=%00',
      `/v1/batches?cursor=${Buffer.from('[7,["3"]]').toString('base64url')}`,
    ]) {
      expect(await send(server, path), path).toMatchObject({ status: 400, json: { type: 'urn:advertisex:error:request_invalid' } });
    }
    const other = await startServer({ figures, secret: Buffer.alloc(32, 8) });
    expect(await send(other, `/v1/batches?as_of=5&cursor=${cursor}`)).toMatchObject({ status: 400 });
    await other.close();
  });

  it('keep their filters', async () => {
    const first = await send(server, '/v1/ledger?feed=users&batch_id=3&limit=1');
    // The rows of the fake are none of a ledger.
    expect(first.status).toBe(500);
    expect(figures.asked).toEqual([['ledger', { feed: 'users', batch_id: 3 }]]);
    await send(server, '/v1/quarantine?feed=users&code=bad_id&path=&since=2026-03-01&until=2026-03-01T10:00:00%2B01:00&all=true');
    expect(figures.asked[1]).toEqual([
      'quarantine',
      { feed: 'users', code: 'bad_id', path: '', since: '2026-03-01', until: '2026-03-01T10:00:00+01:00', all: true },
    ]);
  });
});

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
    for (const answer of [await send(server, '/v1/recon'), await postJson('/v1/query', { sql: 's' })]) {
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
  const answer = await postJson('/v1/quarantine/replay', { code: 'unknown_currency', ids: ['00ff'] });
  expect(answer).toMatchObject({ status: 200, json: { replayed: 2, accepted: 1, duplicate: 0, still_quarantined: 1, batches: [8] } });
  expect(figures.asked).toEqual([['replay', { code: 'unknown_currency', ids: ['00ff'] }]]);
  for (const body of [{ ids: [] }, { ids: ['x'] }, { all: true }, { feeds: [] }, 'null', '']) {
    expect((await postJson('/v1/quarantine/replay', body)).status).toBe(400);
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

describe('/openapi.json', () => {
  interface Document {
    readonly info: { readonly version: string };
    readonly paths: Readonly<
      Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, { readonly content?: Record<string, { schema?: object }> }>> }>>>
    >;
    readonly components: object;
  }
  const read = async () => (await send(server, '/openapi.json')).json as unknown as Document;

  it('is OpenAPI', async () => {
    const document = await read();
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    expect(document.info.version).toBe('1.2.3');
  });

  it('has every address', async () => {
    const { paths } = await read();
    expect(
      Object.entries(paths)
        .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
        .sort(),
    ).toEqual([
      'get /healthz',
      'get /openapi.json',
      'get /readyz',
      'get /v1/batches',
      'get /v1/click',
      'get /v1/explain/{kind}/{key}',
      'get /v1/files',
      'get /v1/ledger',
      'get /v1/pixel/ad-impressions.gif',
      'get /v1/quarantine',
      'get /v1/quarantine/{id}',
      'get /v1/recon',
      'get /v1/reports/campaigns',
      'get /v1/restatements',
      'post /v1/events/{feed}',
      'post /v1/quarantine/replay',
      'post /v1/query',
    ]);
    await expect(startServer({ routes: [(app) => void app.get('/silent', () => 'x')] })).rejects.toThrow(/\/silent does not say what it does/);
  });

  it('describes what is answered', async () => {
    const document = await read();
    const ajv = addFormats.default(new Ajv2020.default({ strict: false }));
    ajv.addSchema({ $id: 'openapi', components: document.components });
    const schemaOf = (path: string, method: string, status: number, type: string) => {
      const schema = document.paths[path]?.[method]?.responses[status]?.content?.[type]?.schema;
      if (schema === undefined) throw new Error(`${method} ${path} ${status} ${type} is not described`);
      return schema;
    };
    const check = (path: string, answer: Answer, method = 'get') => {
      const isValid = ajv.compile(schemaOf(path, method, answer.status, (answer.headers['content-type'] ?? '').split(';')[0] as string));
      expect(isValid(answer.json), `${path}: ${JSON.stringify(isValid.errors)}`).toBe(true);
    };
    for (const path of ['/healthz', '/readyz', '/v1/batches', '/v1/quarantine', '/v1/recon']) check(path, await send(server, path));
    check('/v1/quarantine/{id}', await send(server, '/v1/quarantine/00ff'));
    check('/v1/explain/{kind}/{key}', await send(server, '/v1/explain/event/00ff'));
    check('/v1/query', await postJson('/v1/query', { sql: 's' }), 'post');
    check('/v1/quarantine/replay', await postJson('/v1/quarantine/replay', {}), 'post');
    check('/v1/events/{feed}', await postJson('/v1/events/users', {}), 'post');
    const problem = ajv.compile({ $ref: 'openapi#/components/schemas/Problem' });
    expect(problem((await send(server, '/v1/batches?limit=x')).json), JSON.stringify(problem.errors)).toBe(true);
  });
});
