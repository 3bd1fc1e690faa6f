import type { Batch, CommittedBatch, OutcomeCounts } from '../../batches/batch.ts';
import type { Feed } from '../../domain/feeds.ts';
import { isTopicSource } from '../../sources/kafka/partition-name.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { COLLECTOR_SOURCE } from '../live/log-positions.ts';

const OUTCOMES = ['accepted', 'duplicate', 'quarantined'] as const;

/** What a batch committed, added to the counters: so they say what the ledger says. */
export function countBatch(metrics: Metrics, committed: CommittedBatch, batch: Batch, committedAtMicros: number): void {
  const { cause } = batch;
  metrics.add('advertisex_batches_total', { cause });
  metrics.add('advertisex_restated_rows_total', { cause }, committed.restated);
  metrics.set('advertisex_last_batch_id', {}, committed.batchId);
  metrics.set('advertisex_last_commit_timestamp_seconds', {}, committedAtMicros / 1_000_000);
  if (batch.replays === undefined) countReceived(metrics, committed, batch, committedAtMicros);
  else countReplay(metrics, committed);
}

function countReceived(metrics: Metrics, committed: CommittedBatch, batch: Batch, committedAtMicros: number): void {
  const conflicts = new Map<Feed, number>();
  for (const { feed, source, counts } of outcomesOf(committed)) {
    for (const outcome of OUTCOMES) metrics.add('advertisex_events_total', { feed, source: sourceKindOf(source), outcome }, counts[outcome]);
    conflicts.set(feed, (conflicts.get(feed) ?? 0) + counts.quarantined);
  }
  for (const { feed, arrivals, quarantined, refusals, eventLag } of batch.chunks) {
    conflicts.set(feed, (conflicts.get(feed) ?? 0) - quarantined);
    for (const [code, records] of refusals) metrics.add('advertisex_quarantined_total', { feed, code }, records);
    if (eventLag !== undefined) metrics.addCounts('advertisex_event_lag_seconds', { feed }, eventLag.counts, eventLag.sumSeconds);
    // What files hold waits for its turn, and nobody for it.
    for (const arrival of arrivals ?? []) {
      const seconds = Math.max(0, committedAtMicros - arrival.receivedAtMicros) / 1_000_000;
      metrics.observe('advertisex_freshness_seconds', {}, seconds, arrival.records);
    }
  }
  // What the edge let through and is in quarantine all the same: its identity belongs to another content.
  for (const [feed, records] of conflicts) if (records > 0) metrics.add('advertisex_quarantined_total', { feed, code: 'id_conflict' }, records);
}

/** A replayed record was received, and counted, when it went into quarantine. */
function countReplay(metrics: Metrics, committed: CommittedBatch): void {
  for (const { feed, counts } of outcomesOf(committed)) {
    for (const outcome of ['accepted', 'duplicate'] as const) metrics.add('advertisex_replayed_total', { feed, outcome }, counts[outcome]);
  }
}

function outcomesOf({ bySource }: CommittedBatch): { readonly feed: Feed; readonly source: string; readonly counts: OutcomeCounts }[] {
  return [...bySource].map(([key, counts]) => {
    const space = key.indexOf(' ');
    return { feed: key.slice(0, space) as Feed, source: key.slice(space + 1), counts };
  });
}

/** A source for a label: each file is one, and each partition of a topic, and there is no end of them. */
export function sourceKindOf(source: string): string {
  if (source === COLLECTOR_SOURCE) return source;
  return isTopicSource(source) ? 'kafka' : 'files';
}
