/**
 * The reference: a slow, plain reading of SEMANTICS, one file a chapter, that shares no code with the product.
 * It is written to be checked by eye: nested loops, exact integers, no state between calls.
 */

/** A value of a table: times are microseconds since 1970, dates are `YYYY-MM-DD`, money is micros. */
export type Value = string | bigint | boolean | null;
export type Row = Record<string, Value>;

export const MODELS = ['last_touch', 'first_touch', 'linear', 'position_based', 'time_decay'] as const;
export type Model = (typeof MODELS)[number];

export const SECOND = 1_000_000n;
export const HOUR = 3_600n * SECOND;
export const DAY = 86_400n * SECOND;

/** Settings, in the shape of the configuration file. */
export interface ReferenceSettings {
  readonly instance: { readonly currency: string; readonly reporting_time_zone: string };
  readonly feeds: Readonly<Record<'ad-impressions' | 'clicks-conversions' | 'bid-requests', { readonly time_zone: string }>>;
  readonly normalising: { readonly null_spellings: readonly string[] };
  readonly invalid_traffic: { readonly double_click_seconds: number; readonly click_flood_per_day: number };
  readonly correlation: { readonly click_to_impression_seconds: number };
  readonly attribution: {
    readonly match: 'campaign' | 'user';
    readonly eligible: 'click_preferred' | 'all';
    readonly click_window_seconds: number;
    readonly impression_window_seconds: number;
    readonly half_life_seconds: number;
    readonly max_touches: number;
  };
  readonly limits: { readonly record_bytes: number };
}

export const DEFAULT_SETTINGS: ReferenceSettings = {
  instance: { currency: 'USD', reporting_time_zone: 'UTC' },
  feeds: { 'ad-impressions': { time_zone: 'UTC' }, 'clicks-conversions': { time_zone: 'UTC' }, 'bid-requests': { time_zone: 'UTC' } },
  normalising: { null_spellings: ['', 'null', 'NULL', '-', 'n/a', 'N/A'] },
  invalid_traffic: { double_click_seconds: 1, click_flood_per_day: 10 },
  correlation: { click_to_impression_seconds: 86_400 },
  attribution: {
    match: 'campaign',
    eligible: 'click_preferred',
    click_window_seconds: 2_592_000,
    impression_window_seconds: 86_400,
    half_life_seconds: 604_800,
    max_touches: 1_000,
  },
  limits: { record_bytes: 1_048_576 },
};

/** Ascending by each of the given columns in turn. Text is compared by its UTF-16 units (keys are ASCII). */
export function ascending<R extends Row>(...columns: string[]): (a: R, b: R) => number {
  return (a, b) => {
    for (const column of columns) {
      const [x, y] = [a[column] ?? '', b[column] ?? ''];
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  };
}
