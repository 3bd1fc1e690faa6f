import { describe, expect, it } from 'vitest';
import { toAvro } from '../chaos/encode-records.ts';
import { requireFewRecords } from './require-few-records.ts';

const json = { encoding: 'json', delimiter: ',' } as const;
const csv = { encoding: 'csv', delimiter: ';' } as const;
const avro = { encoding: 'avro', delimiter: ',' } as const;
const bids = (count: number) =>
  toAvro(
    Array.from({ length: count }, (_, index) => ({
      ...{ request_id: `n${index}`, timestamp: '2026-03-02T10:00:00Z', 'bidder.client_id': 'c', 'auction.user_id': 'u', 'auction.space_id': 's' },
      ...{ 'auction.amount': '1', 'auction.campaign_id': null, 'auction.won': null, 'auction.clearing_price': null, 'targeting.age': null },
    })),
    Buffer.alloc(16, 7),
  );

describe.each([
  ['objects in lines', json, (count: number) => Buffer.from('{"a":{"b":"{"}}\n'.repeat(count))],
  ['the shortest objects', json, (count: number) => Buffer.from('{}'.repeat(count))],
  ['an array', json, (count: number) => Buffer.from(`[${Array(count).fill('{"a":1}').join(',')}]`)],
  ['an array of anything', json, (count: number) => Buffer.from(`[${Array(count).fill('1').join(',')}]`.padEnd(400))],
  ['what is no JSON', json, (count: number) => Buffer.from('xx\n'.repeat(count))],
  ['rows, some of them over lines', csv, (count: number) => Buffer.from(`a;b\n${'1;"two\nlines"\n'.repeat(count)}`)],
  ['Avro', avro, bids],
] as const)('of %s', (_name, delivery, make) => {
  it('as many are taken as may be, and no more', () => {
    expect(() => requireFewRecords(delivery, make(50), 50)).not.toThrow();
    expect(() => requireFewRecords(delivery, make(51), 50)).toThrow(expect.objectContaining({ code: 'body_too_large' }));
  });
});

it('stops counting as soon as it knows', () => {
  const started = performance.now();
  expect(() => requireFewRecords(json, Buffer.alloc(60_000_000, '{}\n'), 1_000)).toThrow();
  expect(performance.now() - started).toBeLessThan(2_000);
});
