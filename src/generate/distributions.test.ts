import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTraffic, type Traffic, timeOf, truthLines } from '../../test/generate/traffic-files.ts';
import { generateTraffic } from './generate-traffic.ts';
import { RandomStream } from './random-stream.ts';
import { RATES } from './rates.ts';
import { conversionDelay } from './simulation/responses.ts';
import type { GenerateSummary } from './truth/summary.ts';

// What the generator promises about shares and shapes, on a sample large enough to hold it to that.

const directory = mkdtempSync(join(tmpdir(), 'generate-shares-'));
const made = join(directory, 'made');
let summary: GenerateSummary;
let traffic: Traffic;
const HOUR = 3_600_000_000;

beforeAll(async () => {
  summary = await generateTraffic({
    directory: made,
    seed: 'shares',
    startDate: '2025-10-20',
    events: 80_000,
    rates: { clickRate: 0.03, conversionRate: 0.3 },
  });
  traffic = await readTraffic(made);
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true }));

/** Within four standard deviations of a share in so many draws. */
function expectShare(found: number, of: number, share: number, spread = 1): void {
  const deviation = Math.sqrt((share * (1 - share)) / of);
  expect(Math.abs(found / of - share), `${found} of ${of}, not ${share}`).toBeLessThan(4 * spread * deviation + 1e-9);
}

function quantile(sorted: readonly number[], limit: number): number {
  return sorted.filter((value) => value < limit).length / sorted.length;
}

describe('shares of records', () => {
  it('that arrive again', () => {
    const { feeds } = summary;
    // One copy in twenty is followed by a second one.
    expectShare(feeds['ad-impressions'].duplicate, feeds['ad-impressions'].accepted, 0.004 * 1.05, 1.2);
    const clicks = truthLines(made, 'duplicates').filter(({ feed }) => feed === 'clicks-conversions').length;
    const { clicks: all, conversions } = summary.expected;
    expectShare(clicks, all + conversions, (1.05 * (0.09 * all + 0.02 * conversions)) / (all + conversions), 1.2);
    expectShare(feeds['bid-requests'].duplicate, feeds['bid-requests'].accepted, 0.001 * 1.05, 1.2);
  });

  it('that arrive again soon after: seconds to minutes', () => {
    const labels = truthLines(made, 'duplicates').filter(({ feed }) => feed === 'ad-impressions');
    const sameFile = labels.filter(({ file, of }) => file === of.file);
    expect(sameFile.length / labels.length).toBeGreaterThan(0.9);
    const distances = sameFile.map(({ record, of }) => record - of.record);
    expect(Math.min(...distances)).toBeGreaterThan(0);
    // A minute holds about forty impressions: nobody retries a hundred minutes later.
    expect(Math.max(...distances)).toBeLessThan(100 * 40);
  });

  it('that are late', () => {
    for (const feed of ['ad-impressions', 'bid-requests'] as const) {
      const { accepted, lateOverAnHour, lateOverADay } = summary.feeds[feed];
      expectShare(lateOverAnHour, accepted, 0.02);
      expectShare(lateOverADay, accepted, 0.002);
    }
    // The files say it too: an event that is older than an hour when the hour of its file begins was late for sure.
    const hoursLate = traffic.impressions.flatMap(({ file, micros }) => {
      const hour = /T(\d\d)\.jsonl$/.exec(file)?.[1];
      return hour === undefined ? [] : [Date.parse(`2025-10-20T${hour}:00:00Z`) * 1000 - micros];
    });
    const surely = hoursLate.filter((late) => late > HOUR).length;
    expect(surely).toBeGreaterThan(0.25 * 0.02 * hoursLate.length);
    expect(surely).toBeLessThan(0.02 * 1.3 * hoursLate.length);
    const nextDays = traffic.impressions.filter(({ file }) => !file.includes('T')).length;
    expect(nextDays / traffic.impressions.length).toBeGreaterThan(0.004);
    expect(nextDays / traffic.impressions.length).toBeLessThan(0.02);
  });

  it('that are broken', () => {
    for (const feed of ['ad-impressions', 'bid-requests'] as const) {
      const { received, quarantined, quarantinedByCode } = summary.feeds[feed];
      // Bursts of about twenty make for a wider spread.
      expectShare(quarantined - (quarantinedByCode.id_conflict ?? 0), received, 0.005, 3);
    }
  });

  it('of the feeds to one another', () => {
    const { impressions, bidRequests, bidsWon, bidsWithOutcome } = summary.expected;
    expect(bidRequests / impressions).toBeGreaterThan(1.03);
    expect(bidRequests / impressions).toBeLessThan(1.1);
    expectShare(bidsWon, bidsWithOutcome, 0.3);
    const auctions = new Set(traffic.impressions.flatMap(({ fields }) => fields.auction_id ?? []));
    expectShare(auctions.size, impressions, 0.31);
    const won = new Set(traffic.bids.filter(({ fields }) => fields.won === 'true').flatMap(({ fields }) => fields.request_id ?? []));
    const unmatched = [...won].filter((id) => !auctions.has(id));
    expect(unmatched).toEqual([]);
  });

  it('of bots, ids, nulls and spellings', () => {
    const { impressions, invalidImpressions, hiddenBotImpressions, unresolvedImpressions } = summary.expected;
    // Impressions come in visits of about three, so their shares spread more.
    expectShare(invalidImpressions, impressions, 0.04 * 0.98, 2.5);
    expectShare(hiddenBotImpressions, impressions, 0.01, 2.5);
    expectShare(unresolvedImpressions, impressions, 0.003);
    const all = traffic.impressions.length;
    expectShare(traffic.impressions.filter(({ fields }) => fields.impression_id === undefined).length, all, 0.1, 1.5);
    const numeric = traffic.impressions.filter(({ fields }) => /^\d{19}$/.test(fields.user_id ?? '')).length;
    expect(numeric / all).toBeGreaterThan(0.1);
    expect(numeric / all).toBeLessThan(0.2);
    const nulls = traffic.impressions.filter(({ fields }) => Object.values(fields).includes(null)).length;
    expect(nulls / all).toBeGreaterThan(0.04);
    const odd = traffic.impressions.filter(({ fields }) => fields.impression_id !== undefined && !/^\S{19}\.\d{3}Z$/.test(fields.timestamp ?? '')).length;
    expect(odd / all).toBeGreaterThan(0.03);
    expect(odd / all).toBeLessThan(0.4);
  });
});

describe('shapes', () => {
  it('of popularity: Zipf, with the exponents that were set', () => {
    const { campaigns } = traffic.reference;
    const counts = campaigns.map(({ campaign_id }) => traffic.impressions.filter(({ fields }) => fields.campaign_id === campaign_id).length);
    expect(Math.abs(zipfSlope(counts) - RATES.campaignZipf.default)).toBeLessThan(0.2);
    const bySite = new Map<string, number>();
    for (const { fields } of traffic.impressions) {
      const site = /^sp-\d+/.exec(fields.placement_id ?? '')?.[0];
      if (site !== undefined) bySite.set(site, (bySite.get(site) ?? 0) + 1);
    }
    const sites = Array.from({ length: 60 }, (_, index) => bySite.get(`sp-${index + 1}`) ?? 0);
    expect(Math.abs(zipfSlope(sites) - RATES.siteZipf.default)).toBeLessThan(0.15);
  });

  it('of activity: a few people see much, most see little, nobody everything', () => {
    const byUser = new Map<string, number>();
    for (const { fields } of traffic.impressions) byUser.set(fields.user_id ?? '', (byUser.get(fields.user_id ?? '') ?? 0) + 1);
    const bots = new Set(truthLines(made, 'bots').map(({ user_id }) => user_id));
    const counts = [...byUser].flatMap(([user, count]) => (bots.has(user) ? [] : [count])).sort((a, b) => b - a);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const top = counts.slice(0, Math.round(counts.length / 100)).reduce((sum, count) => sum + count, 0);
    expect(top / total).toBeGreaterThan(0.08);
    expect((counts[0] ?? 0) / total).toBeLessThan(0.02);
    expect(counts[counts.length >> 1]).toBeLessThan((0.8 * total) / counts.length);
  });

  it('of the day: a low before dawn, a peak in the evening', () => {
    const byHour = Array.from({ length: 24 }, () => 0);
    for (const { micros } of traffic.impressions) byHour[Math.floor(micros / HOUR) % 24]!++;
    expect(byHour.indexOf(Math.max(...byHour))).toBeGreaterThanOrEqual(19);
    expect(byHour.indexOf(Math.min(...byHour))).toBeLessThanOrEqual(5);
    expect(Math.max(...byHour) / Math.min(...byHour)).toBeGreaterThan(3);
    expect(Math.max(...byHour) / Math.min(...byHour)).toBeLessThan(5);
  });

  it('of delays: a third within the hour, half within the day, the others within thirty', () => {
    const delays = truthLines(made, 'conversions')
      .filter(({ cause }) => cause?.type === 'click')
      .map(({ time, cause }) => timeOf(time) - timeOf(cause.time));
    expect(delays.length).toBeGreaterThan(300);
    expectShare(quantile(delays, HOUR) * delays.length, delays.length, 0.35);
    expectShare(quantile(delays, 24 * HOUR) * delays.length, delays.length, 0.5);
    expect(Math.max(...delays)).toBeLessThan(30 * 24 * HOUR);
    expect(Math.max(...delays)).toBeGreaterThan(20 * 24 * HOUR);

    const random = new RandomStream('delays', 'test');
    const drawn = Array.from({ length: 50_000 }, () => conversionDelay(random));
    expectShare(quantile(drawn, HOUR) * 50_000, 50_000, 0.35);
    expectShare(quantile(drawn, 24 * HOUR) * 50_000, 50_000, 0.5);
  });

  it('of rates by campaign: a spread that an advertiser would believe', () => {
    const { impressions, invalidImpressions, clicks } = summary.expected;
    const people = clicks / (impressions - invalidImpressions);
    expect(people).toBeGreaterThan(0.025);
    expect(people).toBeLessThan(0.045);
    const cpms = traffic.reference.campaigns.filter((row) => row.pricing_model === 'cpm').map((row) => Number(row.rate));
    expect(Math.min(...cpms)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...cpms)).toBeLessThanOrEqual(8);
    expect(new Set(traffic.reference.campaigns.map((row) => row.pricing_model)).size).toBeGreaterThan(1);
  });
});

/** Slope of log count over log rank, least squares. */
function zipfSlope(counts: readonly number[]): number {
  const points = counts.map((count, index) => [Math.log(index + 1), Math.log(count)] as const);
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  const variance = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return -covariance / variance;
}
