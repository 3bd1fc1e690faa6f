import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SHIPPED_CONTRACTS } from '../../test/faults/open-instance.ts';
import { EVENT_LAG_BOUNDS_SECONDS } from '../domain/event-lag.ts';
import { FEEDS } from '../domain/feeds.ts';
import { type DeliveredChunk, DeliveryStager } from './delivery-stager.ts';
import type { EdgeSettings } from './edge-settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'advertisex-stager-'));
afterAll(() => rmSync(directory, { recursive: true }));

const RECEIVED = Date.UTC(2026, 2, 2, 10, 30) * 1_000;
const edge: EdgeSettings = {
  contracts: SHIPPED_CONTRACTS,
  rules: Object.fromEntries(FEEDS.map((feed) => [feed, { nullSpellings: [''], timeZone: 'UTC' }])),
  currency: 'USD',
  rates: [],
  reportingTimeZone: 'UTC',
  maxRecordBytes: 100_000,
};
const openStager = () => new DeliveryStager({ edge, source: 'http', directory, nextRecords: new Map() });
const line = (index: number, lagSeconds: number, more: object = {}) =>
  `${JSON.stringify({ impression_id: `i${index}`, creative_id: 'k', user_id: 'u', website: 'w.example', timestamp: new Date(RECEIVED / 1_000 - lagSeconds * 1_000).toISOString(), ...more })}\n`;
const deliver = (stager: DeliveryStager, text: string, receivedAtMicros = RECEIVED) =>
  stager.stage({ feed: 'ad-impressions', encoding: 'json', delimiter: ',', receivedAtMicros, bytes: Buffer.from(text) });

function lagsOf(chunks: readonly DeliveredChunk[]): { readonly events: number; readonly sumSeconds: number; readonly counts: number[] } {
  const counts = new Array<number>(EVENT_LAG_BOUNDS_SECONDS.length + 1).fill(0);
  let sumSeconds = 0;
  for (const { eventLag } of chunks) {
    for (const [bucket, count] of (eventLag?.counts ?? []).entries()) counts[bucket] = (counts[bucket] ?? 0) + count;
    sumSeconds += eventLag?.sumSeconds ?? 0;
  }
  return { events: counts.reduce((sum, count) => sum + count, 0), sumSeconds, counts };
}

describe('what is staged', () => {
  // Some thousand records open the fast lane, and few do not; an odd escape sends a record past it.
  it.each([
    ['few', 10, {}],
    ['many, by the fast lane', 6_000, {}],
    ['many, past the fast lane', 6_000, { placement_id: 'a\u00e9\\' }],
  ])('says how late its events came: %s', (_name, records, more) => {
    const stager = openStager();
    const lags = Array.from({ length: records }, (_, index) => (index % 50) * 37);
    for (let from = 0; from < records; from += 500) {
      const part = lags.slice(from, from + 500);
      // Deliveries of a chunk come at different times.
      deliver(stager, part.map((lag, index) => line(from + index, lag, more)).join(''), RECEIVED + from * 1_000);
    }
    const expected = lags.map((lag, index) => lag + Math.floor(index / 500) * 0.5);
    const { events, sumSeconds, counts } = lagsOf(stager.flush().chunks);
    expect(events).toBe(records);
    expect(sumSeconds).toBeCloseTo(
      expected.reduce((sum, lag) => sum + lag, 0),
      3,
    );
    const inBucket = (lag: number) => EVENT_LAG_BOUNDS_SECONDS.findIndex((bound) => lag <= bound);
    expect(counts.slice(0, -1)).toEqual(EVENT_LAG_BOUNDS_SECONDS.map((_, bucket) => expected.filter((lag) => inBucket(lag) === bucket).length));
  });

  it('says what it was refused for, by the first rule that each record broke', () => {
    const stager = openStager();
    deliver(
      stager,
      `${line(1, 0)}${line(2, 0, { timestamp: 'soon' })}${line(3, 0, { user_id: '', timestamp: 'soon' })}no json\n${line(4, 0, { user_id: '' })}`,
    );
    const [chunk] = stager.flush().chunks;
    expect(chunk).toMatchObject({ received: 5, quarantined: 4 });
    expect(Object.fromEntries(chunk?.refusals ?? [])).toEqual({ bad_timestamp: 1, missing_field: 2, malformed: 1 });
    deliver(stager, line(5, 0));
    expect(stager.flush().chunks[0]?.refusals.size).toBe(0);
  });

  it('says when it was received: as many records as there are, together where they came together', () => {
    const stager = openStager();
    for (const [index, after] of [0, 4_000, 9_999, 10_000, 500_000].entries())
      deliver(stager, `${line(2 * index, 0)}${line(2 * index + 1, 0)}`, RECEIVED + after);
    deliver(stager, '', RECEIVED + 600_000);
    expect(stager.flush().chunks.map(({ arrivals }) => arrivals)).toEqual([
      [
        { receivedAtMicros: RECEIVED, records: 6 },
        { receivedAtMicros: RECEIVED + 10_000, records: 2 },
        { receivedAtMicros: RECEIVED + 500_000, records: 2 },
      ],
    ]);
    // An hour of receipt ends a chunk.
    deliver(stager, line(90, 0));
    deliver(stager, line(91, 0), RECEIVED + 3_600_000_000);
    expect(stager.flush().chunks.map(({ arrivals }) => arrivals.map(({ records }) => records))).toEqual([[1], [1]]);
  });
});
