import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SecondReading } from '../../../test/generate/second-reading.ts';
import { placeOf, readTraffic, timeOf, truthLines } from '../../../test/generate/traffic-files.ts';
import { generateTraffic } from '../generate-traffic.ts';
import type { GenerateOptions } from '../options.ts';
import { RandomStream } from '../random-stream.ts';
import { RATES, type RateName } from '../rates.ts';

// The truth must hold under any rates, alone and together: at nothing, at their most, and between.

const root = mkdtempSync(join(tmpdir(), 'generate-settings-'));
afterAll(() => rmSync(root, { recursive: true }));

/** So that a few impressions do not make a million records. */
const ENOUGH: Partial<Record<RateName, number>> = {
  clickRate: 0.3,
  clickFloods: 0.3,
  conversionRate: 0.3,
  viewThroughRate: 0.3,
  malformed: 0.3,
  bots: 0.5,
  hiddenBots: 0.4,
};

function drawSettings(run: number): Omit<GenerateOptions, 'directory'> {
  const random = new RandomStream(`settings ${run}`, 'test');
  const rates: Partial<Record<RateName, number>> = {};
  for (const name of Object.keys(RATES) as RateName[]) {
    const most = ENOUGH[name] ?? RATES[name].maximum;
    const draw = random.fraction();
    if (draw < 0.15) rates[name] = 0;
    else if (draw < 0.3) rates[name] = most;
    else if (draw < 0.6) rates[name] = most * random.fraction();
  }
  rates.winRate = Math.max(0.05, rates.winRate ?? 0.3);
  rates.lateOverADay = Math.min(rates.lateOverADay ?? 0.002, rates.lateOverAnHour ?? 0.02);
  return {
    seed: run,
    startDate: '2025-10-20',
    impressions: 1 + random.below(1200),
    days: 1 + random.below(3),
    tailDays: random.below(31),
    campaigns: 1 + random.below(9),
    sites: 1 + random.below(40),
    users: 1 + random.below(400),
    rates,
  };
}

describe('under any settings', () => {
  it.each(Array.from({ length: 10 }, (_, run) => run))('the truth is what a second reading finds, draw %i', async (run) => {
    const directory = join(root, String(run));
    const settings = drawSettings(run);
    const { feeds } = await generateTraffic({ ...settings, directory });
    const traffic = await readTraffic(directory);
    const reading = new SecondReading(traffic, 'USD');
    const told = (name: string) => truthLines(directory, name);
    const found = {
      received: Object.values(traffic.reads).map((reads) => reads.length),
      repeats: reading.repeats.sort(),
      clicks: reading.clicks
        .map(({ click: { fields, micros }, ...verdict }) => words(fields.user_id, fields.campaign_id, micros, verdict.valid, verdict.reasons, verdict.matched))
        .sort(),
      paths: reading.conversions
        .map(({ conversion: { fields, micros }, path }) =>
          words(fields.user_id, fields.campaign_id, micros, ...path.map((touch) => `${touch.type}@${touch.micros}`)),
        )
        .sort(),
      days: [...reading.campaignDays()].map(([key, measures]) => words(key, ...Object.entries(measures).sort())).sort(),
    };
    expect(found, JSON.stringify(settings)).toEqual({
      received: Object.values(feeds).map(({ received }) => received),
      repeats: told('duplicates')
        .map(({ file, record, of }) => `${placeOf(file, record)} of ${placeOf(of.file, of.record)}`)
        .sort(),
      clicks: told('clicks')
        .map((click) => words(click.user_id, click.campaign_id, timeOf(click.time), click.valid, click.invalid_reasons, click.matched))
        .sort(),
      paths: told('conversions')
        .map(({ user_id, campaign_id, time, path }) =>
          words(user_id, campaign_id, timeOf(time), ...path.map((touch: { type: string; time: string }) => `${touch.type}@${timeOf(touch.time)}`)),
        )
        .sort(),
      days: told('campaign-days')
        .map(({ campaign_id, date, ...measures }) =>
          words(
            `${campaign_id} ${date}`,
            ...Object.entries(measures)
              .filter(([, amount]) => amount !== 0)
              .sort(),
          ),
        )
        .sort(),
    });
  });
});

function words(...parts: unknown[]): string {
  return parts.map((part) => part ?? '').join(' ');
}
