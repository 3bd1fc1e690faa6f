import { describe, expect, it } from 'vitest';
import { AdvertiseXError } from '../domain/errors.ts';
import { type GenerateOptions, latestStartDate, planTraffic, recordsPerImpression } from './options.ts';
import { RATES, type RateName } from './rates.ts';

const good: GenerateOptions = { directory: 'traffic', seed: 1, startDate: '2025-10-20', events: 100_000 };

function refusal(options: object): string {
  try {
    planTraffic({ ...good, ...options } as GenerateOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(AdvertiseXError);
    expect((error as AdvertiseXError).code).toBe('usage');
    expect((error as AdvertiseXError).remedy).not.toBe('');
    return (error as AdvertiseXError).message;
  }
  return 'taken';
}

describe('planTraffic', () => {
  it('refuses what makes no sense, and names it', () => {
    expect(refusal({ directory: '' })).toContain('directory');
    expect(refusal({ startDate: '20.10.2025' })).toContain('startDate');
    expect(refusal({ startDate: '2025-02-30' })).toContain('startDate');
    expect(refusal({ startDate: '1999-12-31' })).toContain('1999');
    expect(refusal({ events: 3 })).toContain('events');
    expect(refusal({ events: 1000.5 })).toContain('events');
    expect(refusal({ events: undefined })).toContain('how much');
    expect(refusal({ impressions: 5 })).toContain('either');
    expect(refusal({ days: 0 })).toContain('days');
    expect(refusal({ tailDays: 31 })).toContain('tailDays');
    expect(refusal({ campaigns: -1 })).toContain('campaigns');
    expect(refusal({ users: Number.NaN })).toContain('users');
    expect(refusal({ currency: 'GELD' })).toContain('currency');
    expect(refusal({ compression: 'zip' })).toContain('compression');
    expect(refusal({ avroCodec: 'bzip2' })).toContain('avroCodec');
    expect(refusal({ filesPerFeed: 0 })).toContain('filesPerFeed');
    expect(refusal({ sparkle: true })).toContain('sparkle');
  });

  it('refuses rates that are unknown, out of bounds, or at odds', () => {
    expect(refusal({ rates: { malfromed: 0.1 } })).toContain('malfromed');
    for (const name of Object.keys(RATES) as RateName[]) {
      expect(refusal({ rates: { [name]: -0.01 } }), name).toContain(`rates.${name}`);
      expect(refusal({ rates: { [name]: RATES[name].maximum + 0.01 } }), name).toContain(`rates.${name}`);
      expect(refusal({ rates: { [name]: '0.1' } }), name).toContain(`rates.${name}`);
    }
    expect(refusal({ rates: { lateOverADay: 0.1 } })).toContain('lateOverADay');
    expect(refusal({ rates: { bots: 0.9, hiddenBots: 0.1 } })).toContain('leave no people');
    expect(refusal({ rates: { winRate: 0 } })).toContain('winRate');
    expect(refusal({ rates: { winRate: 0, auctionShare: 0 } })).toBe('taken');
  });

  it('works out what is left open', () => {
    const plan = planTraffic(good);
    expect(plan).toMatchObject({
      seed: '1',
      days: 1,
      tailDays: 30,
      currency: 'USD',
      compression: 'none',
      avroCodec: 'null',
      startMicros: Date.UTC(2025, 9, 20) * 1000,
    });
    expect(plan.impressions).toBe(Math.round(100_000 / recordsPerImpression(plan.rates)));
    // One impression to about 1.1 other records.
    expect(recordsPerImpression(plan.rates)).toBeGreaterThan(2.05);
    expect(recordsPerImpression(plan.rates)).toBeLessThan(2.15);
    expect(plan.users).toBe(Math.round(plan.impressions / 8));
    expect(planTraffic({ ...good, events: 10_000_000 }).campaigns).toBeGreaterThan(plan.campaigns);
    expect(planTraffic({ ...good, campaigns: 3, sites: 4, users: 5 })).toMatchObject({ campaigns: 3, sites: 4, users: 5 });
  });
});

describe('latestStartDate', () => {
  const now = Date.UTC(2026, 2, 15, 23, 59) * 1000;
  it('leaves room for the days and their tail', () => {
    expect(latestStartDate(now, 1, 0)).toBe('2026-03-14');
    expect(latestStartDate(now, 3, 0)).toBe('2026-03-12');
    expect(latestStartDate(now)).toBe('2026-02-12');
  });
});
