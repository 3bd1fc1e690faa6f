import { expect, it } from 'vitest';
import { readExposition, sumOf } from '../../test/telemetry/read-exposition.ts';
import { EVENT_LAG_BOUNDS_SECONDS } from '../domain/event-lag.ts';
import { METRICS } from './metric-table.ts';
import { Metrics } from './metrics.ts';

function someMetrics(): Metrics {
  const metrics = new Metrics();
  metrics.add('advertisex_events_total', { feed: 'users', source: 'http', outcome: 'accepted' }, 5);
  metrics.add('advertisex_events_total', { feed: 'users', source: 'folder:a "b"\\c\n', outcome: 'accepted' });
  metrics.set('advertisex_log_bytes', {}, 7.5e15);
  metrics.observe('advertisex_freshness_seconds', {}, 0.25, 1_000_000);
  metrics.observe('advertisex_freshness_seconds', {}, 4_000);
  metrics.addCounts('advertisex_event_lag_seconds', { feed: 'ad-impressions' }, [3, ...new Array(EVENT_LAG_BOUNDS_SECONDS.length - 1).fill(0), 2], 123.5);
  return metrics;
}

it.each(['prometheus', 'openmetrics', 'prometheus'] as const)('shows all metrics of the table, with their types and what they are: %s', async (format) => {
  const metrics = someMetrics();
  await metrics.expose('openmetrics');
  const { text, contentType } = await metrics.expose(format);
  const isOpen = format === 'openmetrics';
  expect(contentType).toMatch(isOpen ? /^application\/openmetrics-text; version=1\.0\.0/ : /^text\/plain; version=0\.0\.4/);
  const shown = readExposition(text, isOpen);
  const nameOf = (name: string, type: string) => (isOpen && type === 'counter' ? name.replace(/_total$/, '') : name);
  expect([...shown].map(([name, { type, help }]) => [name, type, help])).toEqual(
    Object.entries(METRICS).map(([name, { type, help }]) => [nameOf(name, type), type, help]),
  );
  expect(sumOf(shown, 'advertisex_freshness_seconds_count')).toBe(1_000_001);
});

it('counts, sets and observes', async () => {
  const shown = readExposition((await someMetrics().expose('prometheus')).text);
  expect(sumOf(shown, 'advertisex_events_total', { source: 'http' })).toBe(5);
  expect(sumOf(shown, 'advertisex_events_total', { source: 'folder:a \\"b\\"\\\\c\\n' })).toBe(1);
  expect(sumOf(shown, 'advertisex_log_bytes')).toBe(7.5e15);
  const buckets = (name: string) => shown.get(name)?.samples.filter((sample) => sample.name.endsWith('_bucket')) ?? [];
  expect(buckets('advertisex_freshness_seconds').map(({ labels, value }) => [labels['le'], value])).toEqual(
    ['0.1', '0.25', '0.5', '0.75', '1', '1.5', '2', '3', '5', '10', '30', '60', '300', '900', '3600', '+Inf'].map((le) => [
      le,
      le === '0.1' ? 0 : le === '+Inf' ? 1_000_001 : 1_000_000,
    ]),
  );
  expect(sumOf(shown, 'advertisex_freshness_seconds_sum')).toBe(254_000);
  expect(buckets('advertisex_event_lag_seconds').map(({ value }) => value)).toEqual([...new Array(EVENT_LAG_BOUNDS_SECONDS.length).fill(3), 5]);
  expect(sumOf(shown, 'advertisex_event_lag_seconds_sum')).toBe(123.5);
});

it('does not show what is not known', async () => {
  const { text } = await new Metrics().expose('prometheus');
  expect(text).not.toMatch(/^advertisex_(log_bytes|reconciliation_timestamp_seconds) /m);
});

it('measures when it is asked', async () => {
  const metrics = new Metrics();
  let bytes = 0;
  metrics.onExpose(() => {
    throw new Error('It cannot be measured');
  });
  metrics.onExpose(async () => metrics.set('advertisex_log_bytes', {}, ++bytes));
  await metrics.expose('prometheus');
  expect((await metrics.expose('openmetrics')).text).toMatch(/^advertisex_log_bytes 2$/m);
});

it('has a registry of its own', async () => {
  const [one, other] = [someMetrics(), new Metrics()];
  expect(sumOf(readExposition((await one.expose('prometheus')).text), 'advertisex_events_total')).toBe(6);
  expect(readExposition((await other.expose('prometheus')).text).get('advertisex_events_total')?.samples).toEqual([]);
});

it('names are made as those of Prometheus are: base units, counters end with _total, and no label is open', () => {
  for (const [name, { type, labels }] of Object.entries(METRICS)) {
    expect(name).toMatch(/^(advertisex|nodejs|process)_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(name).not.toMatch(/milli|micros|percent|minutes/);
    for (const label of labels) expect(['id', 'user', 'path', 'file', 'message', 'le']).not.toContain(label);
  }
});
