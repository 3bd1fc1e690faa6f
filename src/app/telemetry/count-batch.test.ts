import { expect, it } from 'vitest';
import { readExposition, sumOf } from '../../../test/telemetry/read-exposition.ts';
import type { Batch, CommittedBatch, OutcomeCounts, SourceChunk } from '../../batches/batch.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { countBatch, sourceKindOf } from './count-batch.ts';

const NOW = 1_000_000_000;
const chunk = (more: Partial<SourceChunk>): SourceChunk => ({
  feed: 'ad-impressions',
  source: '/data/a.jsonl',
  receivedAtMicros: NOW - 2_000_000,
  firstPosition: 0,
  nextPosition: 10,
  received: 10,
  quarantined: 0,
  refusals: new Map(),
  eventLag: undefined,
  resumePoints: [],
  segments: [],
  ...more,
});
const batch = (chunks: readonly SourceChunk[], more: Partial<Batch> = {}): Batch => ({
  cause: 'late',
  chunks,
  files: [],
  stagingDirectory: '/nowhere',
  readRaw: async () => [],
  ...more,
});
const counts = (accepted: number, duplicate: number, quarantined: number): OutcomeCounts => ({
  received: accepted + duplicate + quarantined,
  accepted,
  duplicate,
  quarantined,
});

async function shownAfter(committed: Pick<CommittedBatch, 'bySource'> & Partial<CommittedBatch>, applied: Batch) {
  const metrics = new Metrics();
  countBatch(metrics, { batchId: 7, outcomes: counts(0, 0, 0), restated: 0, ...committed }, applied, NOW);
  return readExposition((await metrics.expose('prometheus')).text);
}

it('counts files together, and not by their paths', async () => {
  const bySource = new Map([
    ['ad-impressions /data/a.jsonl', counts(5, 0, 0)],
    ['ad-impressions /data/b with space.jsonl', counts(2, 1, 0)],
    ['users http', counts(1, 0, 0)],
    ['users /drop/x.csv', counts(1, 0, 0)],
  ]);
  const shown = await shownAfter({ bySource, restated: 3 }, batch([]));
  const samples = shown.get('advertisex_events_total')?.samples ?? [];
  expect(samples.filter(({ value }) => value > 0).map(({ labels, value }) => [labels['feed'], labels['source'], labels['outcome'], value])).toEqual([
    ['ad-impressions', 'files', 'accepted', 7],
    ['ad-impressions', 'files', 'duplicate', 1],
    ['users', 'http', 'accepted', 1],
    ['users', 'files', 'accepted', 1],
  ]);
  expect(sumOf(shown, 'advertisex_restated_rows_total', { cause: 'late' })).toBe(3);
  expect(sumOf(shown, 'advertisex_last_batch_id')).toBe(7);
  expect(sumOf(shown, 'advertisex_last_commit_timestamp_seconds')).toBe(1_000);
});

it('counts as conflicts what the edge let through and is in quarantine all the same', async () => {
  const chunks = [
    chunk({ quarantined: 3, refusals: new Map([['bad_id', 2] as const, ['malformed', 1] as const]) }),
    chunk({ quarantined: 1, refusals: new Map([['bad_id', 1] as const]) }),
  ];
  const shown = await shownAfter({ bySource: new Map([['ad-impressions /data/a.jsonl', counts(10, 0, 9)]]) }, batch(chunks));
  const codes = shown.get('advertisex_quarantined_total')?.samples.map(({ labels, value }) => [labels['code'], value]);
  expect(codes).toEqual([
    ['bad_id', 3],
    ['malformed', 1],
    ['id_conflict', 5],
  ]);
});

it('counts freshness by records that came live, from when each was received', async () => {
  const arrivals = [
    { receivedAtMicros: NOW - 200_000, records: 6 },
    { receivedAtMicros: NOW - 4_000_000, records: 4 },
    { receivedAtMicros: NOW + 1, records: 1 },
  ];
  const shown = await shownAfter({ bySource: new Map() }, batch([chunk({ arrivals }), chunk({ received: 5 })]));
  expect(sumOf(shown, 'advertisex_freshness_seconds_count')).toBe(11);
  expect(sumOf(shown, 'advertisex_freshness_seconds_sum')).toBeCloseTo(6 * 0.2 + 4 * 4, 6);
  expect(sumOf(shown, 'advertisex_freshness_seconds_bucket', { le: '0.25' })).toBe(7);
});

it('counts a replay apart: its records were counted when they were received', async () => {
  const committed = { bySource: new Map([['ad-impressions http', { received: 0, accepted: 4, duplicate: 1, quarantined: -5 }]]) };
  const shown = await shownAfter(
    committed,
    batch([chunk({ received: 6, quarantined: 1, refusals: new Map([['bad_id', 1]]) })], { cause: 'replay', replays: ['a'] }),
  );
  expect(sumOf(shown, 'advertisex_replayed_total', { outcome: 'accepted' })).toBe(4);
  expect(sumOf(shown, 'advertisex_replayed_total', { outcome: 'duplicate' })).toBe(1);
  for (const name of ['advertisex_events_total', 'advertisex_quarantined_total', 'advertisex_freshness_seconds_count'])
    expect(sumOf(shown, name), name).toBe(0);
  expect(sumOf(shown, 'advertisex_batches_total', { cause: 'replay' })).toBe(1);
});

it.each([
  ['http', 'http'],
  ['/srv/in/a.json', 'files'],
  ['C:\\in\\a.json', 'files'],
  ['-', 'files'],
])('the label of %s is %s', (source, kind) => expect(sourceKindOf(source)).toBe(kind));
