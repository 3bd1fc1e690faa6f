import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { post, send, startServer, type TestServer } from '../../test/server/test-server.ts';
import { AdvertiseXError, type ErrorCode } from '../domain/errors.ts';

let server: TestServer;
const taken = { received: 3, refused: [], moreRefused: 0 };

beforeAll(async () => {
  server = await startServer({ limits: { maxBodyBytes: 10_000, maxUnpackedBytes: 20_000 } });
});
afterAll(() => server.close());
beforeEach(() => {
  server.deliveries.length = 0;
  server.reports.length = 0;
  server.answer = async () => taken;
});

describe('what is taken', () => {
  it.each([
    ['application/json', { encoding: 'json' }],
    ['Application/JSON; charset=UTF-8', { encoding: 'json' }],
    ['application/x-ndjson', { encoding: 'json' }],
    ['application/jsonl', { encoding: 'json' }],
    ['text/csv', { encoding: 'csv', delimiter: ',' }],
    ['text/csv; header=present; charset="utf-8"', { encoding: 'csv', delimiter: ',' }],
    ['text/tab-separated-values', { encoding: 'csv', delimiter: '\t' }],
    ['application/avro', { encoding: 'avro' }],
    ['application/vnd.apache.avro', { encoding: 'avro' }],
    ['avro/binary', { encoding: 'avro' }],
  ])('%s', async (type, expected) => {
    const body = Uint8Array.from([0, 255, 13, 10, 65]);
    expect(await post(server, 'bid-requests', type, body)).toMatchObject({ status: 200 });
    expect(server.deliveries).toMatchObject([{ feed: 'bid-requests', ...expected }]);
    expect([...(server.deliveries[0]?.body ?? [])]).toEqual([...body]);
  });

  it.each([10_000, 7])('a body of %i bytes, in pieces or whole', async (length) => {
    const body = Buffer.alloc(length, '{}\n');
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      expect(await post(server, 'ad-impressions', 'application/json', body, headers)).toMatchObject({ status: 200 });
      expect(Buffer.from(server.deliveries.pop()?.body ?? []).equals(body)).toBe(true);
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['zstd', (text: string) => Buffer.concat([Buffer.from('502a4d1800000000', 'hex'), zstdCompressSync(text)])],
    ['identity', (text: string) => Buffer.from(text)],
  ])('%s, as it came', async (coding, compress) => {
    const body = compress('{"creative_id":"cr-1"}');
    expect(await post(server, 'ad-impressions', 'application/json', body, { 'content-encoding': coding })).toMatchObject({ status: 200 });
    expect(Buffer.from(server.deliveries[0]?.body ?? []).equals(body)).toBe(true);
  });

  it('CSV with another delimiter', async () => {
    const answer = await send(server, '/v1/events/users?delimiter=%3B', { headers: { 'content-type': 'text/csv' }, body: 'user_id;age\nu;4' });
    expect(answer.status).toBe(200);
    expect(server.deliveries).toMatchObject([{ feed: 'users', delimiter: ';' }]);
  });
});

describe('what is refused', () => {
  it.each([
    [415, 'content_type_unsupported', 'ad-impressions', { 'content-type': 'application/octet-stream' }],
    [415, 'content_type_unsupported', 'ad-impressions', { 'content-type': 'application/x-www-form-urlencoded' }],
    [415, 'content_type_unsupported', 'ad-impressions', { 'content-type': 'constructor' }],
    [415, 'content_type_unsupported', 'ad-impressions', { 'content-type': '' }],
    [415, 'content_type_unsupported', 'ad-impressions', {}],
    [415, 'content_type_unsupported', 'ad-impressions', { 'content-type': 'application/json; charset=utf-16' }],
    [415, 'content_type_unsupported', 'users', { 'content-type': 'text/csv; header=absent' }],
    [415, 'content_encoding_unsupported', 'ad-impressions', { 'content-type': 'application/json', 'content-encoding': 'br' }],
    [415, 'content_encoding_unsupported', 'ad-impressions', { 'content-type': 'application/json', 'content-encoding': 'gzip, gzip' }],
    [400, 'body_damaged', 'ad-impressions', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    [400, 'body_damaged', 'ad-impressions', { 'content-type': 'application/json', 'content-encoding': 'zstd' }],
    [404, 'not_found', 'impressions', { 'content-type': 'application/json' }],
    [400, 'request_invalid', 'ad-impressions?delimiter=;', { 'content-type': 'application/json' }],
    [400, 'request_invalid', 'users?delimiter=;;', { 'content-type': 'text/csv' }],
    [400, 'request_invalid', 'users?delimiter=%C3%A9', { 'content-type': 'text/csv' }],
    [400, 'request_invalid', 'users?delimiter=%22', { 'content-type': 'text/csv' }],
  ])('%i %s: %s %j', async (status, code, feed, headers) => {
    const answer = await send(server, `/v1/events/${feed}`, { headers, body: '{"a":1}' });
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/problem+json' } });
    expect(answer.json).toMatchObject({ type: `urn:advertisex:error:${code}`, status, title: expect.any(String), detail: expect.any(String) });
    expect(answer.json['next']).toMatch(/\w/);
    expect(answer.headers['accept-post']).toEqual(code === 'content_type_unsupported' ? expect.stringContaining('application/x-ndjson') : undefined);
    expect(answer.headers['accept-encoding']).toBe(code === 'content_encoding_unsupported' ? 'gzip, zstd, identity' : undefined);
    expect(server.deliveries).toEqual([]);
  });

  it('an empty body, whatever it says to be', async () => {
    for (const headers of [{}, { 'content-length': 0 }, { 'transfer-encoding': 'chunked' }]) {
      expect(await post(server, 'ad-impressions', 'application/json', '', headers)).toMatchObject({ status: 400 });
    }
    expect(server.deliveries).toEqual([]);
  });

  it('a body that is too large, in pieces or whole', async () => {
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const answer = await post(server, 'ad-impressions', 'application/json', Buffer.alloc(10_001), headers);
      expect(answer).toMatchObject({ status: 413, json: { type: 'urn:advertisex:error:body_too_large' } });
    }
    expect(server.deliveries).toEqual([]);
  });

  it('other methods, with those that are taken', async () => {
    const headers = { 'content-type': 'image/png' };
    expect(await send(server, '/v1/events/users', { method: 'PUT', headers, body: '{}' })).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await send(server, '/v1/events/users')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await send(server, '/healthz', { method: 'DELETE' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await send(server, '/healthz', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  it.each(['/v1/events', '/v1/events/users/1', '/', '/v1/click?url=http://example.com'])('%s: there is nothing', async (path) => {
    expect(await send(server, path)).toMatchObject({ status: 404, json: { type: 'urn:advertisex:error:not_found' } });
    expect(await send(server, path, { body: '{}', headers: { 'content-type': 'a/b' } })).toMatchObject({ status: 404 });
  });
});

describe('the outcome', () => {
  const refusal = { record: 1, violations: [{ code: 'bad_id', pointer: '/user_id', message: 'user_id is empty' }] };

  it('says how many were accepted, and why the others were not', async () => {
    server.answer = async () => ({ received: 10, refused: [refusal], moreRefused: 4 });
    const { status, json } = await post(server, 'users', 'application/json', '{}');
    expect(status).toBe(200);
    expect(json).toMatchObject({ received: 10, accepted: 5, refused: [refusal], more_refused: 4 });
  });

  it('is 422 where every record was refused', async () => {
    server.answer = async () => ({ received: 2, refused: [{ ...refusal, record: 0 }], moreRefused: 1 });
    const { status, headers, json } = await post(server, 'users', 'application/json', '{}');
    expect(status).toBe(422);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(json).toMatchObject({ type: 'urn:advertisex:error:records_refused', received: 2, accepted: 0, refused: [{ record: 0 }], more_refused: 1 });
  });

  it('is 200 where there was no record', async () => {
    server.answer = async () => ({ received: 0, refused: [], moreRefused: 0 });
    expect(await post(server, 'users', 'application/json', '\n')).toMatchObject({ status: 200, json: { received: 0, accepted: 0 } });
  });

  it.each<[ErrorCode, number, string | undefined, boolean]>([
    ['log_busy', 503, '1', true],
    ['log_failed', 503, '30', false],
    ['disk_full', 503, '30', false],
    ['log_entry_too_large', 413, undefined, true],
    ['body_damaged', 400, undefined, true],
    ['body_too_large', 413, undefined, true],
    ['engine_failed', 500, undefined, false],
  ])('is a problem where the collector fails: %s', async (code, status, retryAfter, isTold) => {
    server.answer = () => Promise.reject(new AdvertiseXError(code, 'in /data/secret', 'Do this.'));
    const answer = await post(server, 'users', 'application/json', '{}');
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ type: `urn:advertisex:error:${code}` });
    expect(answer.headers['retry-after']).toBe(retryAfter);
    expect(answer.body.includes('secret')).toBe(isTold);
    expect(server.reports.join().includes('secret')).toBe(status >= 500);
  });

  it('is 500 for what nobody thought of, and says no more', async () => {
    server.answer = () => Promise.reject(new TypeError('secret'));
    const answer = await post(server, 'users', 'application/json', '{}', { 'x-request-id': 'mine-1' });
    expect(answer).toMatchObject({ status: 500, json: { type: 'urn:advertisex:error:server_failed', request_id: 'mine-1' } });
    expect(answer.body).not.toContain('secret');
    expect(server.reports).toEqual([expect.stringMatching(/mine-1.*secret/)]);
  });
});

it('takes a request id of the caller only where it is short and plain', async () => {
  expect((await send(server, '/healthz', { headers: { 'x-request-id': 'a.B-9_' } })).headers['x-request-id']).toBe('a.B-9_');
  for (const id of ['a'.repeat(65), 'a b', '"', '']) {
    expect((await send(server, '/healthz', { headers: { 'x-request-id': id } })).headers['x-request-id']).toMatch(/^request-\d+$/);
  }
});

it('gives nothing away, and lets no page take an answer for its own', async () => {
  for (const path of ['/healthz', '/nothing', '/v1/events/users']) {
    const { headers } = await send(server, path);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' });
    expect(Object.keys(headers).filter((name) => /server|powered|version/.test(name))).toEqual([]);
  }
});

it('is alive, and ready where there is no reason against it', async () => {
  expect(await send(server, '/healthz')).toMatchObject({ status: 200 });
  expect(await send(server, '/readyz')).toMatchObject({ status: 200, json: { ready: true, reasons: [] } });
  server.reasons.push({ code: 'disk_full', message: 'The disk is full' });
  expect(await send(server, '/readyz')).toMatchObject({ status: 503, json: { ready: false, reasons: [{ code: 'disk_full' }] } });
  expect(await send(server, '/healthz')).toMatchObject({ status: 200 });
  server.reasons.pop();
});
