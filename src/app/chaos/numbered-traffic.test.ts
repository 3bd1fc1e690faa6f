import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { FEEDS } from '../../domain/feeds.ts';
import { numbersIn } from './numbered-records.ts';
import { type NumberedRequest, NumberedTraffic } from './numbered-traffic.ts';

const requestsOf = (seed: string, count: number): NumberedRequest[] => {
  const traffic = new NumberedTraffic(seed);
  return Array.from({ length: count }, () => traffic.next());
};
const plain = ({ headers, body }: NumberedRequest) => {
  const coding = headers['content-encoding'];
  return coding === 'gzip' ? gunzipSync(body) : coding === 'zstd' ? zstdDecompressSync(body) : body;
};

it('is the same for the same seed, to the byte', () => {
  expect(requestsOf('7', 200)).toEqual(requestsOf('7', 200));
  expect(requestsOf('7', 200)).not.toEqual(requestsOf('8', 200));
});

it('gives each record the next number, which is found in its bytes, whatever the encoding', () => {
  let next = 0;
  for (const request of requestsOf('1', 1_000)) {
    expect(request.first).toBe(next);
    next += request.count;
    const numbers = Array.from({ length: request.count }, (_, index) => request.first + index);
    if (request.feed !== 'currency-rates') expect(numbersIn(plain(request), request.feed)).toEqual(numbers);
  }
});

it('is of every feed, in every encoding, compressed and not, and some of it is cut before its end', () => {
  const requests = requestsOf('1', 1_000);
  expect(new Set(requests.map(({ feed }) => feed))).toEqual(new Set(FEEDS));
  expect(new Set(requests.map(({ headers }) => headers['content-encoding']))).toEqual(new Set(['identity', 'gzip', 'zstd']));
  const types = ['application/x-ndjson', 'application/json', 'text/csv', 'application/cloudevents-batch+json', 'application/avro'];
  expect(new Set(requests.map(({ headers }) => headers['content-type']))).toEqual(new Set(types));
  const cut = requests.filter(({ cutAfterBytes }) => cutAfterBytes !== undefined);
  expect(cut.length).toBeGreaterThan(10);
  for (const { cutAfterBytes, body } of cut) expect(cutAfterBytes).toBeLessThan(body.length);
});
