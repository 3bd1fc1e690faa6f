import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { parse as parseCsv } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endlessRows, type FakeFigures, fakeFigures } from '../../../test/server/fake-figures.ts';
import { postJson, send, startServer, type TestServer } from '../../../test/server/test-server.ts';
import { AdvertiseXError, type ErrorCode } from '../../domain/errors.ts';

let figures: FakeFigures;
let server: TestServer;
beforeEach(async () => {
  figures = fakeFigures();
  server = await startServer({ figures });
});
afterEach(() => server.close());

describe('a query', () => {
  it('gives columns and rows, exact in every digit', async () => {
    figures.rows = () => [
      [2n ** 53n - 1n, 1_773_480_413_589_793n, 'a "b"\n'],
      [2n ** 53n + 1n, null, null],
    ];
    const answer = await postJson(server, '/v1/query', { sql: 'select 1' });
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
      const { json } = await postJson(server, '/v1/query', { sql: 's', limit, as_of: 3 });
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
    const answer = await postJson(server, '/v1/query', { sql: 's' }, { accept: 'text/csv' });
    expect(answer.headers['content-type']).toMatch(/^text\/csv/);
    expect(parseCsv(answer.body, { columns: true })).toEqual([
      { n: '1152921504606846976', t: '1970-01-01T00:00:00Z', x: 'a,"b"\r\n' },
      { n: '', t: '', x: '' },
    ]);
    expect((await postJson(server, '/v1/query', { sql: 's', limit: 1 }, { accept: 'text/csv' })).body.split('\r\n')).toHaveLength(4);
    for (const accept of ['*/*', 'application/json, text/csv', 'text/csv;q=0.1, */*', 'text/html']) {
      expect((await postJson(server, '/v1/query', { sql: 's' }, { accept })).headers['content-type'], accept).toMatch(/json/);
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
    const answer = await postJson(server, '/v1/query', { sql: 's' });
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
    expect(await postJson(server, '/v1/query', body)).toMatchObject({
      status: 400,
      json: { type: 'urn:advertisex:error:request_invalid', next: expect.any(String) },
    });
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

  it('are let go of when they are over, also where nobody takes them', async () => {
    const endless = endlessRows(() => undefined);
    figures.rows = endless.rows;
    const { asking, response } = await ask();
    response.pause();
    for (let before = -1; before !== endless.taken; ) {
      before = endless.taken;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    figures.readings[0]?.stop.abort(new AdvertiseXError('query_timeout', 'Too long', 'Ask for less.'));
    for (let left = 200; left > 0 && !endless.isClosed; left--) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(endless.isClosed).toBe(true);
    asking.destroy();
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
    expect(await postJson(server, '/v1/query', { sql: 's' })).toMatchObject({ status: 422, json: { detail: 'Too much' } });
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
