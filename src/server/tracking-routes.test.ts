import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NOW_MICROS, send, startServer, type TestServer } from '../../test/server/test-server.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { hashOfToken } from './tokens.ts';

let server: TestServer;
const PIXEL = '/v1/pixel/ad-impressions.gif';

beforeAll(async () => {
  server = await startServer({
    tokens: [{ sha256: hashOfToken('secret'), roles: ['ingest'] }],
    tracking: { redirectHosts: ['shop.example', '*.Example.com', 'bücher.example'] },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.deliveries.length = 0;
  server.answer = async () => ({ received: 1, refused: [], moreRefused: 0 });
});

function record(): unknown {
  expect(server.deliveries).toMatchObject([{ encoding: 'json' }]);
  return JSON.parse(Buffer.from(server.deliveries[0]?.body ?? []).toString());
}

describe('the pixel', () => {
  it('is a record of its parameters, and of when it came', async () => {
    const answer = await send(server, `${PIXEL}?creative_id=cr-1&user_id=9007199254740993&website=a%26b+c`, { headers: { 'user-agent': 'Browser/1' } });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'image/gif', 'cache-control': 'no-store', 'cross-origin-resource-policy': 'cross-origin' },
    });
    expect(answer.body).toMatch(/^GIF89a/);
    expect(server.deliveries[0]?.feed).toBe('ad-impressions');
    expect(record()).toEqual({ creative_id: 'cr-1', user_id: '9007199254740993', website: 'a&b c', timestamp: String(NOW_MICROS), user_agent: 'Browser/1' });
  });

  it('keeps a time and a browser that are given', async () => {
    await send(server, `${PIXEL}?timestamp=1773480000&user_agent=Mine`, { headers: { 'user-agent': 'Browser/1' } });
    expect(record()).toEqual({ timestamp: '1773480000', user_agent: 'Mine' });
  });

  it('nests dotted names, and loses none that is there twice', async () => {
    const pairs = 'bid.price=1&bid.id.a=2&x=1&x=2&x=3&p=1&p.q=2&r.s=1&r=2&__proto__.polluted=1&constructor=c&timestamp=1&a.b.c.d.e.f.g.h.i=1';
    await send(server, `${PIXEL}?${pairs}`);
    expect(JSON.stringify(record())).toBe(
      JSON.stringify({
        bid: { price: '1', id: { a: '2' } },
        x: ['1', '2', '3'],
        p: '1',
        'p.q': '2',
        r: { s: '1' },
        'r.': '2',
        ['__proto__']: { polluted: '1' },
        constructor: 'c',
        timestamp: '1',
        'a.b.c.d.e.f.g.h.i': '1',
      }),
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('is a picture though its record was refused, and none where it could not be taken', async () => {
    server.answer = async () => ({ received: 1, refused: [{ record: 0, violations: [] }], moreRefused: 0 });
    expect(await send(server, PIXEL)).toMatchObject({ status: 200, headers: { 'content-type': 'image/gif' } });
    server.answer = () => Promise.reject(new AdvertiseXError('log_busy', 'Busy', 'Wait.'));
    expect(await send(server, PIXEL)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  it('takes no record of a request that only looks', async () => {
    for (const method of ['HEAD', 'POST']) expect(await send(server, PIXEL, { method })).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(server.deliveries).toEqual([]);
  });
});

describe('a click', () => {
  it.each([
    ['https://shop.example/p?a=1#top', 'https://shop.example/p?a=1#top'],
    ['http://SHOP.example', 'http://shop.example/'],
    ['https://shop.example:443/', 'https://shop.example/'],
    ['https://www.example.com/', 'https://www.example.com/'],
    ['https://a.b.example.com/', 'https://a.b.example.com/'],
    ['https://bücher.example/ä', 'https://xn--bcher-kva.example/%C3%A4'],
    ['https://shop.example/\r\nX: y', 'https://shop.example/X:%20y'],
  ])('goes on to %j once it is taken', async (url, location) => {
    const answer = await send(server, `/v1/click?user_id=u-1&campaign_id=c-1&url=${encodeURIComponent(url)}`);
    expect(answer).toMatchObject({ status: 302, headers: { location, 'cache-control': 'no-store' } });
    expect(server.deliveries[0]?.feed).toBe('clicks-conversions');
    expect(record()).toEqual({ user_id: 'u-1', campaign_id: 'c-1', event_type: 'click', conversion_type: '', timestamp: String(NOW_MICROS) });
  });

  it.each([
    'https://evil.example/',
    'https://example.com/',
    'https://shop.example.evil.example/',
    'https://evilexample.com/',
    'https://shop.example@evil.example/',
    'https://user:password@shop.example/',
    'https://evil.example\\@shop.example/',
    'https://evil.example#@shop.example/',
    'https://shop.example:8443/',
    'https://shop.example./',
    '//shop.example/',
    '/path',
    'javascript:alert(1)//shop.example',
    'data:text/html,shop.example',
    'ftp://shop.example/',
    'https://.example.com/',
    '',
  ])('does not go on to %j', async (url) => {
    const answer = await send(server, `/v1/click?user_id=u-1&url=${encodeURIComponent(url)}`);
    expect(answer).toMatchObject({ status: 400, json: { type: 'urn:advertisex:error:request_invalid' } });
    expect(answer.headers['location']).toBeUndefined();
    expect(server.deliveries).toEqual([]);
  });

  it('is never a conversion', async () => {
    await send(server, '/v1/click?event_type=conversion&conversion_type=purchase&value=9&url=https://shop.example/');
    expect(record()).toMatchObject({ event_type: 'click', conversion_type: '' });
  });

  it('goes nowhere where it could not be taken', async () => {
    server.answer = () => Promise.reject(new AdvertiseXError('disk_full', 'Full', 'Make room.'));
    const answer = await send(server, '/v1/click?url=https://shop.example/');
    expect(answer.status).toBe(503);
    expect(answer.headers['location']).toBeUndefined();
  });
});

it.each(['', '*', '*.', 'a/b', 'https://shop.example', 'shop.example:80', '*.*.example', 'a@b', 'a b'])(
  'does not start with %j among the hosts',
  async (host) => {
    await expect(startServer({ tracking: { redirectHosts: [host] } })).rejects.toMatchObject({ code: 'config_invalid' });
  },
);
