import { describe, expect, it } from 'vitest';
import { loadSettings } from './load-settings.ts';
import { retainedDays, retentionProblems } from './retention.ts';
import { settingsSchema } from './settings.ts';

const settings = (retention: object, more: object = {}) => settingsSchema.parse({ ...more, retention });
const problems = (retention: object, more: object = {}) => retentionProblems(settings(retention, more)).map(({ key, expected }) => `${key}: ${expected}`);

describe('retention', () => {
  it('keeps everything for ever unless told otherwise, and tables of events alike', () => {
    expect(retainedDays(settings({}), 'clicks')).toBeUndefined();
    expect(retainedDays(settings({ silver_days: 60 }), 'clicks')).toBe(60);
    expect(retainedDays(settings({ silver_days: 60, clicks_days: 90 }), 'clicks')).toBe(90);
    for (const own of ['gold', 'quarantine', 'raw'] as const) expect(retainedDays(settings({ silver_days: 60 }), own)).toBeUndefined();
  });

  it('is as long as conversions and clicks look back, and as events may be late', () => {
    expect(problems({ silver_days: 37 })).toEqual([]);
    expect(problems({ silver_days: 36 })).toEqual([
      'silver_days: at least 37: conversions look back 30 days, and events may come 7 days late (retention.late_days)',
    ]);
    expect(problems({ silver_days: 40, impressions_days: 7, conversions_days: 6, bid_requests_days: 1 })).toEqual([
      'impressions_days: at least 8: clicks and conversions look back 1 day, and events may come 7 days late (retention.late_days)',
      'conversions_days: at least 7: events may come 7 days late (retention.late_days)',
    ]);
    expect(problems({ silver_days: 1, late_days: 0 }, { attribution: { click_window_seconds: 86_400 } })).toEqual([]);
    expect(problems({ silver_days: 1, late_days: 0 }, { attribution: { click_window_seconds: 86_401 } }).length).toBe(1);
  });

  it('keeps sums for as long as what changes them', () => {
    expect(problems({ gold_days: 400 })).toEqual(['gold_days: no number while events are kept for ever: they change the sums of their days']);
    expect(problems({ gold_days: 40, silver_days: 41 })).toEqual(['gold_days: at least 41, as long as events are kept: they change the sums of their days']);
    expect(problems({ gold_days: 41, silver_days: 41 })).toEqual([]);
  });

  it('that is too short is refused where it stands', () => {
    expect(() => loadSettings({ path: undefined, environment: { ADVERTISEX_RETENTION_CLICKS_DAYS: '10' } })).toThrow(
      'environment: ADVERTISEX_RETENTION_CLICKS_DAYS is 10, expected at least 37: conversions look back 30 days',
    );
  });
});
