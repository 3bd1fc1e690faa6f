import fc from 'fast-check';
import { DEFAULT_SETTINGS, type ReferenceSettings } from '../reference/words.ts';

/** Settings that little traffic can reach the limits of. */
export const settings: fc.Arbitrary<ReferenceSettings> = fc
  .record({
    zone: fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu'),
    match: fc.constantFrom<'campaign' | 'user'>('campaign', 'campaign', 'user'),
    eligible: fc.constantFrom<'click_preferred' | 'all'>('click_preferred', 'all'),
    flood: fc.constantFrom(1, 2, 10),
    doubleClickSeconds: fc.constantFrom(0, 1, 60),
    clickToImpression: fc.constantFrom(3_600, 86_400),
    clickWindow: fc.constantFrom(3_600, 2_592_000, 2_592_000),
    impressionWindow: fc.constantFrom(3_600, 86_400, 86_400, 604_800),
    maxTouches: fc.constantFrom(1, 3, 1_000),
    halfLife: fc.constantFrom(64, 3_600, 604_800),
  })
  .map((chosen) => ({
    ...DEFAULT_SETTINGS,
    instance: { currency: 'USD', reporting_time_zone: chosen.zone },
    invalid_traffic: { double_click_seconds: chosen.doubleClickSeconds, click_flood_per_day: chosen.flood },
    correlation: { click_to_impression_seconds: chosen.clickToImpression },
    attribution: {
      ...DEFAULT_SETTINGS.attribution,
      match: chosen.match,
      eligible: chosen.eligible,
      click_window_seconds: chosen.clickWindow,
      impression_window_seconds: chosen.impressionWindow,
      max_touches: chosen.maxTouches,
      half_life_seconds: chosen.halfLife,
    },
  }));
