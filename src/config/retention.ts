import type { Settings } from './settings.ts';

/** What has a retention of its own. */
export const RETAINED = ['impressions', 'clicks', 'conversions', 'bid_requests', 'attribution', 'gold', 'quarantine', 'raw'] as const;
export type Retained = (typeof RETAINED)[number];

type RetentionKey = keyof Settings['retention'];

/** Tables of events: they follow `silver_days` where they are not named. */
const EVENT_LEVEL: ReadonlySet<Retained> = new Set(['impressions', 'clicks', 'conversions', 'bid_requests', 'attribution']);

/** Whole days before today that are kept; undefined: all of them. */
export function retainedDays(settings: Settings, retained: Retained): number | undefined {
  return settings.retention[keyOf(settings, retained)] as number | undefined;
}

export interface RetentionProblem {
  readonly key: RetentionKey;
  readonly value: number;
  readonly expected: string;
}

/** Days that cannot go so soon: what comes would not find what it belongs to, or its figures. */
export function retentionProblems(settings: Settings): RetentionProblem[] {
  const { attribution, correlation, retention } = settings;
  const wholeDays = (seconds: number) => Math.ceil(seconds / 86_400);
  const late = retention.late_days;
  const windows: Partial<Record<Retained, readonly [days: number, reason: string]>> = {
    impressions: [wholeDays(Math.max(attribution.impression_window_seconds, correlation.click_to_impression_seconds)), 'clicks and conversions look back'],
    clicks: [wholeDays(attribution.click_window_seconds), 'conversions look back'],
    conversions: [0, ''],
    attribution: [0, ''],
  };
  const problems = new Map<RetentionKey, RetentionProblem & { readonly least: number }>();
  for (const [retained, [window, reason]] of Object.entries(windows) as [Retained, readonly [number, string]][]) {
    const value = retainedDays(settings, retained);
    const key = keyOf(settings, retained);
    const least = window + late;
    // One setting may be too short for several tables: the longest of them tells.
    if (value === undefined || value >= least || least <= (problems.get(key)?.least ?? 0)) continue;
    const why = window === 0 ? '' : `${reason} ${count(window)}, and `;
    problems.set(key, { key, value, least, expected: `at least ${least}: ${why}events may come ${count(late)} late (retention.late_days)` });
  }
  const { gold_days } = retention;
  const longest = Math.max(...[...EVENT_LEVEL].map((retained) => retainedDays(settings, retained) ?? Number.POSITIVE_INFINITY));
  if (gold_days !== undefined && gold_days < longest) {
    const least = longest === Number.POSITIVE_INFINITY ? 'no number while events are kept for ever' : `at least ${longest}, as long as events are kept`;
    problems.set('gold_days', { key: 'gold_days', value: gold_days, least: longest, expected: `${least}: they change the sums of their days` });
  }
  return [...problems.values()];
}

function keyOf({ retention }: Settings, retained: Retained): RetentionKey {
  const own = `${retained}_days` as const;
  return EVENT_LEVEL.has(retained) && retention[own] === undefined ? 'silver_days' : own;
}

function count(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}
