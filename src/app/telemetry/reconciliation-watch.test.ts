import { describe, expect, it } from 'vitest';
import { readExposition, sumOf } from '../../../test/telemetry/read-exposition.ts';
import { interrupted } from '../../domain/errors.ts';
import type { LogLine } from '../../telemetry/log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { Check, Reconciliation } from '../recon.ts';
import { ReconciliationWatch } from './reconciliation-watch.ts';

const found = (brokenRows: number): Reconciliation => ({
  equation: 1,
  name: 'outcomes',
  statement: 'a = b',
  holds: brokenRows === 0,
  columns: [],
  rows: [],
  brokenRows,
});

/** Time passes while it sleeps, and while a check runs. After so many seconds it sleeps on until it is stopped. */
function watchOf(
  checks: readonly Partial<Check & { seconds: number; rows: () => number }>[],
  { everySeconds = 900, until = 10_000, isBusy = (): boolean => false } = {},
) {
  const metrics = new Metrics();
  const lines: LogLine[] = [];
  const runs: { readonly at: number; readonly label: string }[] = [];
  const over = Promise.withResolvers<void>();
  let now = 0;
  let busySeconds = 0;
  const watch = new ReconciliationWatch({
    checks: () =>
      checks.map(({ label = '1-outcomes', seesOneState = true, seconds = 1, rows = () => 0, run }) => ({
        label,
        seesOneState,
        run: async () => {
          runs.push({ at: now, label });
          now += seconds;
          busySeconds += seconds;
          return run === undefined ? found(rows()) : run();
        },
      })),
    everySeconds,
    isBusy,
    metrics,
    log: (line) => lines.push(line),
    nowMicros: () => now * 1_000_000,
    nowSeconds: () => now,
    sleep: async (milliseconds, signal) => {
      now += milliseconds / 1_000;
      if (now < until) return;
      over.resolve();
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    },
  });
  const result = async () => {
    await over.promise;
    await watch.stop();
    const shown = readExposition((await metrics.expose('prometheus')).text);
    return {
      runs,
      lines,
      busySeconds,
      seconds: now,
      shown,
      rowsOf: (equation: string) => sumOf(shown, 'advertisex_reconciliation_difference_rows', { equation }),
    };
  };
  return { watch, result };
}

it('checks each equation, now and then, and says when and how long', async () => {
  const { result } = watchOf([{ label: '1-outcomes' }, { label: '7-lake', seconds: 2 }], { until: 2_000 });
  const { runs, lines, shown } = await result();
  expect(runs).toEqual(
    [60, 960, 1_860].flatMap((at) => [
      { at, label: '1-outcomes' },
      { at: at + 20, label: '7-lake' },
    ]),
  );
  expect(sumOf(shown, 'advertisex_reconciliation_duration_seconds')).toBe(3);
  expect(sumOf(shown, 'advertisex_reconciliation_timestamp_seconds')).toBe(1_860 + 20 + 2 + 19 * 2);
  expect(lines.map(({ event }) => event)).toEqual(['reconciled', 'reconciled', 'reconciled']);
});

it.each([0.001, 1, 60, 3_000])('takes a twentieth of the time at most: a check of %d s', async (seconds) => {
  const checks = Array.from({ length: 12 }, (_, index) => ({ label: `${index}`, seconds }));
  const { busySeconds, seconds: all } = await watchOf(checks, { everySeconds: 1, until: 100_000 + seconds * 1_000 }).result();
  expect(busySeconds).toBeGreaterThan(0);
  expect(busySeconds / all).toBeLessThanOrEqual(0.05);
});

describe('an equation that is broken', () => {
  it('is told with its rows, until it holds again', async () => {
    let round = 0;
    const { watch, result } = watchOf([{ rows: () => [7, 3, 0, 0][round++] ?? 0 }], { until: 2_000 });
    const { lines, rowsOf } = await result();
    expect(lines.map(({ event, level, fields }) => [event, level, fields?.equation, fields?.rows])).toEqual([
      ['reconciliation_broken', 'warn', '1-outcomes', 7],
      ['reconciliation_broken', 'warn', '1-outcomes', 3],
      ['reconciled', 'debug', undefined, undefined],
    ]);
    expect(rowsOf('1-outcomes')).toBe(0);
    expect(watch.isBroken).toBe(false);
  });

  it('fires as long as it is', async () => {
    const { watch, result } = watchOf([{ rows: () => 7 }, { label: '7-lake' }], { until: 500 });
    const { rowsOf } = await result();
    expect([rowsOf('1-outcomes'), rowsOf('7-lake'), watch.isBroken]).toEqual([7, 0, true]);
  });

  it('that reads in several statements is looked at again: a batch may have come between', async () => {
    const answers = [5, 0, 5, 5];
    const { runs, lines } = await watchOf([{ label: '7-lake', seesOneState: false, rows: () => answers.shift() ?? 0 }], { until: 1_000 }).result();
    expect(runs.map(({ at }) => at)).toEqual([60, 61, 960, 961]);
    expect(lines.map(({ event }) => event)).toEqual(['reconciled', 'reconciliation_broken']);
  });
});

it('goes on where one cannot be checked, and says so', async () => {
  const failing = { label: '2-accepted', run: () => Promise.reject(new Error('Out of memory')) };
  const { runs, lines, shown } = await watchOf([failing, { label: '7-lake' }], { until: 500 }).result();
  expect(runs.map(({ label }) => label)).toEqual(['2-accepted', '7-lake']);
  expect(lines).toMatchObject([
    { level: 'warn', event: 'reconciliation_failed', fields: { equation: '2-accepted' }, message: expect.stringContaining('Out of memory') },
  ]);
  expect(shown.get('advertisex_reconciliation_timestamp_seconds')?.samples).toEqual([]);
});

it('lets batches that are behind go first', async () => {
  let questions = 0;
  const { runs } = await watchOf([{}], { until: 500, isBusy: () => questions++ < 4 }).result();
  expect(runs.map(({ at }) => at)).toEqual([80]);
});

it('is stopped in the middle of a check, and says nothing of that', async () => {
  const started = Promise.withResolvers<void>();
  const lines: LogLine[] = [];
  const watch = new ReconciliationWatch({
    checks: ({ signal }) => [
      {
        label: '1-outcomes',
        seesOneState: true,
        run: () =>
          new Promise<Reconciliation>((_, reject) => {
            signal.addEventListener('abort', () => reject(interrupted()));
            started.resolve();
          }),
      },
    ],
    everySeconds: 900,
    isBusy: () => false,
    metrics: new Metrics(),
    log: (line) => lines.push(line),
    nowMicros: () => 0,
    nowSeconds: () => 0,
    sleep: async () => undefined,
  });
  await started.promise;
  await watch.stop();
  expect(lines).toEqual([]);
});
