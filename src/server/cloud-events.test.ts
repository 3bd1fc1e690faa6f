import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { post, startServer, type TestServer } from '../../test/server/test-server.ts';
import { recordsOfCloudEvents } from './cloud-events.ts';

const envelope = { specversion: '1.0', id: 'e-1', source: '/shop', type: 'ad.impression' };
const ONE = 'application/cloudevents+json';
const MANY = 'application/cloudevents-batch+json';

/** An envelope with a member written as it stands. */
function withMember(name: string, json: string): string {
  return `${JSON.stringify(envelope).slice(0, -1)},"${name}":${json}}`;
}

describe('records', () => {
  it('are the data as it was written: every digit, key and space', () => {
    const data = '{"id": 9223372036854775807, "price":1.10, "n":1e400,"text":"a\\u0041\\"}{[,", "deep":{"a":[1,{"b":"]"}]} }';
    expect(recordsOfCloudEvents(withMember('data', data), 'one')).toEqual([data]);
    expect(recordsOfCloudEvents(` [ ${withMember('data', data)} , ${withMember('data', '{}')}\n]`, 'many')).toEqual([data, '{}']);
  });

  it('stand in one line each', () => {
    expect(recordsOfCloudEvents(withMember('data', '{\r\n  "a": "b\\nc"\n}'), 'one')).toEqual(['{   "a": "b\\nc" }']);
  });

  it('may be in base64', () => {
    const base64 = JSON.stringify(Buffer.from(' {"id":9007199254740993}\n').toString('base64'));
    expect(recordsOfCloudEvents(withMember('data_base64', base64), 'one')).toEqual(['{"id":9007199254740993}']);
  });

  it('are found whatever stands around them', () => {
    const json = fc.jsonValue().map((value) => JSON.stringify(value));
    const data = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value, undefined, 1));
    fc.assert(
      fc.property(fc.array(fc.tuple(data, json, fc.stringMatching(/^[ \t\r\n]*$/)), { maxLength: 5 }), (events) => {
        const text = `[${events.map(([record, , space]) => `${space}${withMember('data', `${space}${record}${space}`)}${space}`).join()}]`;
        const records = recordsOfCloudEvents(text, 'many');
        expect(records.map((record) => JSON.parse(record))).toEqual(events.map(([record]) => JSON.parse(record)));
        expect(records.join('')).not.toMatch(/[\r\n]/);
      }),
    );
  });

  it('keep attributes of extensions out, and null is absent', () => {
    const text = JSON.stringify({
      ...envelope,
      subject: null,
      data_base64: null,
      traceparent: '00',
      n: 7,
      b: true,
      time: '2026-03-14T09:26:53.1Z',
      data: { a: 1 },
    });
    expect(recordsOfCloudEvents(text, 'one')).toEqual(['{"a":1}']);
  });
});

describe('what is no CloudEvent is refused, with its place', () => {
  it.each([
    ['', '{"a":'],
    ['', '[]'],
    ['', '"text"'],
    ['/id', JSON.stringify({ ...envelope, id: undefined, data: {} })],
    ['/id', JSON.stringify({ ...envelope, id: '', data: {} })],
    ['/source', JSON.stringify({ ...envelope, source: 7, data: {} })],
    ['/type', JSON.stringify({ ...envelope, type: null, data: {} })],
    ['/specversion', JSON.stringify({ ...envelope, specversion: '0.3', data: {} })],
    ['/time', JSON.stringify({ ...envelope, time: 'yesterday', data: {} })],
    ['/datacontenttype', JSON.stringify({ ...envelope, datacontenttype: 'text/csv', data: 'a,b' })],
    ['/data', JSON.stringify(envelope)],
    ['/data', withMember('data', '[{}]')],
    ['/data', withMember('data', '"{}"')],
    ['/data_base64', JSON.stringify({ ...envelope, data: {}, data_base64: 'e30=' })],
    ['/data_base64', withMember('data_base64', '"e3"')],
    ['/data_base64', withMember('data_base64', '"/w=="')],
    ['/data_base64', withMember('data_base64', '"ew=="')],
    ['/Trace-Id', JSON.stringify({ ...envelope, 'Trace-Id': 'x', data: {} })],
    ['/nested', JSON.stringify({ ...envelope, nested: {}, data: {} })],
    ['/data', withMember('data', '{},"data":{}')],
    ['/data', withMember('data', '{},"d\\u0061ta":{}')],
  ])('%j: %s', (pointer, text) => {
    expect(() => recordsOfCloudEvents(text, 'one')).toThrow(new RegExp(pointer === '' ? 'CloudEvent is not valid' : `at ${pointer} is not valid`));
  });

  it('in a batch, with its number', () => {
    const good = withMember('data', '{}');
    expect(() => recordsOfCloudEvents(`[${good},${good},{}]`, 'many')).toThrow(/at \/2\/id is not/);
    expect(() => recordsOfCloudEvents(`[${good},5]`, 'many')).toThrow(/at \/1 is not/);
    expect(() => recordsOfCloudEvents(good, 'many')).toThrow(/not a JSON array/);
  });
});

describe('over HTTP', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ limits: { maxUnpackedBytes: 10_000 } });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    server.deliveries.length = 0;
  });

  it.each([
    ['plain', (text: string) => Buffer.from(text), {}],
    ['gzip', gzipSync, { 'content-encoding': 'gzip' }],
    ['zstd', zstdCompressSync, { 'content-encoding': 'zstd' }],
  ])('are taken as lines of JSON: %s', async (_name, compress, headers) => {
    const text = `[${withMember('data', '{"id":1}')},${withMember('data', '{"id":2}')}]`;
    expect(await post(server, 'users', MANY, compress(text), headers)).toMatchObject({ status: 200 });
    expect(server.deliveries).toMatchObject([{ feed: 'users', encoding: 'json' }]);
    expect(Buffer.from(server.deliveries[0]?.body ?? []).toString()).toBe('{"id":1}\n{"id":2}\n');
  });

  it('may be none', async () => {
    expect(await post(server, 'users', MANY, '[]')).toMatchObject({ status: 200, json: { received: 0 } });
    expect(server.deliveries).toEqual([]);
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('are refused where they do not decompress, or to too much: %s', async (coding, compress) => {
    const headers = { 'content-encoding': coding };
    const whole = compress(withMember('data', JSON.stringify({ a: Array.from({ length: 500 }, (_, i) => i * i) })));
    for (const body of [whole.subarray(0, -20), Buffer.concat([whole.subarray(0, 30), Buffer.alloc(100, 7)])]) {
      expect(await post(server, 'users', ONE, body, headers)).toMatchObject({ status: 400 });
    }
    const bomb = compress(withMember('data', `{"a":"${'x'.repeat(1_000_000)}"}`));
    expect(await post(server, 'users', ONE, bomb, headers)).toMatchObject({ status: 413, json: { type: 'urn:advertisex:error:body_too_large' } });
    expect(server.deliveries).toEqual([]);
  });

  it('are refused where one is not valid, or the text is not UTF-8', async () => {
    const answer = await post(server, 'users', ONE, JSON.stringify(envelope));
    expect(answer).toMatchObject({ status: 400, json: { detail: expect.stringContaining('/data') } });
    expect(await post(server, 'users', ONE, Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ status: 400 });
    expect(server.deliveries).toEqual([]);
  });
});
