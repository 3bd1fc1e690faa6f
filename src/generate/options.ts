import { z } from 'zod';
import { AdvertiseXError } from '../domain/errors.ts';
import { MICROS_PER_DAY } from './diurnal-curve.ts';
import { RATES, type RateName, type Rates } from './rates.ts';
import { CURRENCY_CODES } from './world/currencies.ts';

/** What `generateTraffic` is told. Either `events` or `impressions` says how much. */
export interface GenerateOptions {
  /** A folder that does not exist yet or is empty. */
  readonly directory: string;
  /** Same seed and settings, same bytes. */
  readonly seed: string | number;
  /** First day, `YYYY-MM-DD`, UTC. See `latestStartDate`. */
  readonly startDate: string;
  /** About how many event records, over the three feeds, with duplicates and broken ones. */
  readonly events?: number | undefined;
  /** Instead of `events`: exactly how many impressions; clicks, conversions, bid requests, duplicates and faults come on top. */
  readonly impressions?: number | undefined;
  /** Days with impressions (default 1). */
  readonly days?: number | undefined;
  /** Days after them in which conversions of their touches still come in (default 30; 0 ends them with the last day). */
  readonly tailDays?: number | undefined;
  /** How many there are; by default in proportion to the impressions. */
  readonly campaigns?: number | undefined;
  readonly sites?: number | undefined;
  readonly users?: number | undefined;
  /** The instance's currency (default USD). */
  readonly currency?: string | undefined;
  /** Files a feed; by default one for each hour of arrival, and one a day after the last. */
  readonly filesPerFeed?: number | undefined;
  /** Of the JSON and CSV files (default none). */
  readonly compression?: 'none' | 'gzip' | 'zstd' | undefined;
  readonly avroCodec?: 'null' | 'deflate' | 'snappy' | 'zstandard' | undefined;
  readonly rates?: Readonly<Partial<Record<RateName, number>>> | undefined;
}

export interface GeneratePlan {
  readonly directory: string;
  readonly seed: string;
  readonly startMicros: number;
  readonly days: number;
  readonly tailDays: number;
  readonly impressions: number;
  readonly campaigns: number;
  readonly sites: number;
  readonly users: number;
  readonly currency: string;
  readonly filesPerFeed?: number | undefined;
  readonly compression: 'none' | 'gzip' | 'zstd';
  readonly avroCodec: 'null' | 'deflate' | 'snappy' | 'zstandard';
  readonly rates: Rates;
}

const count = (maximum: number) => z.number().int().min(1).max(maximum).optional();

const optionsSchema = z.strictObject({
  directory: z.string().min(1),
  seed: z.union([z.string(), z.number().int()]),
  startDate: z.iso.date('is not a date like 2026-03-01'),
  events: z.number().int().min(10).max(10_000_000_000).optional(),
  impressions: count(5_000_000_000),
  days: z.number().int().min(1).max(400).default(1),
  tailDays: z.number().int().min(0).max(30).default(30),
  campaigns: count(60_000),
  sites: count(1_000_000),
  users: count(50_000_000),
  currency: z.enum(CURRENCY_CODES).default('USD'),
  filesPerFeed: count(100_000),
  compression: z.enum(['none', 'gzip', 'zstd']).default('none'),
  avroCodec: z.enum(['null', 'deflate', 'snappy', 'zstandard']).default('null'),
  rates: z
    .strictObject(
      Object.fromEntries(Object.entries(RATES).map(([name, rate]) => [name, z.number().min(0).max(rate.maximum).default(rate.default)])) as Record<
        RateName,
        z.ZodDefault<z.ZodNumber>
      >,
    )
    .prefault({}),
});

/** Checks the options and works out what they leave open. */
export function planTraffic(options: GenerateOptions): GeneratePlan {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const key = first?.path.join('.') ?? '';
    throw new AdvertiseXError(
      'usage',
      `The generator's setting ${key === '' ? '' : `"${key}" `}is wrong: ${first?.message}.`,
      'See docs/guides/generate.md for every setting and its bounds.',
    );
  }
  const { events, seed, startDate, rates, ...rest } = parsed.data;
  if ((events === undefined) === (rest.impressions === undefined)) {
    throw new AdvertiseXError('usage', 'Say how much traffic: either "events" or "impressions"', 'Give one of the two, for example events: 1000000.');
  }
  const startMicros = Date.parse(startDate) * 1000;
  if (startDate < '2000-01-02') {
    throw new AdvertiseXError('usage', `Traffic of ${startDate} would be refused: times before 2000 are out of range`, 'Choose a later "startDate".');
  }
  if (rates.lateOverADay > rates.lateOverAnHour) {
    throw new AdvertiseXError(
      'usage',
      'The rate "lateOverADay" is part of "lateOverAnHour" and cannot be larger',
      'Raise lateOverAnHour or lower lateOverADay.',
    );
  }
  if (rates.bots + rates.hiddenBots > 0.95) {
    throw new AdvertiseXError('usage', 'The rates "bots" and "hiddenBots" leave no people', 'Keep their sum at 0.95 or below.');
  }
  if (rates.auctionShare > 0 && rates.winRate === 0) {
    throw new AdvertiseXError('usage', 'With a "winRate" of 0 no impression can be bought in an auction', 'Set auctionShare to 0 as well, or winRate above 0.');
  }
  const impressions = rest.impressions ?? Math.max(1, Math.round((events as number) / recordsPerImpression(rates)));
  const root = Math.sqrt(impressions / rest.days);
  return {
    ...rest,
    seed: String(seed),
    startMicros,
    rates,
    impressions,
    campaigns: rest.campaigns ?? clamp(Math.round(root / 45), 6, 400),
    sites: rest.sites ?? clamp(Math.round(root / 2), 30, 20_000),
    users: rest.users ?? clamp(Math.round(impressions / 8), 50, 20_000_000),
  };
}

/** The last first day with which everything, the tail of conversions included, lies before `nowMicros`: later times are out of range. */
export function latestStartDate(nowMicros: number, days = 1, tailDays = 30): string {
  const today = Math.floor(nowMicros / MICROS_PER_DAY);
  return new Date((today - days - tailDays) * (MICROS_PER_DAY / 1000)).toISOString().slice(0, 10);
}

/** How many event records, of all feeds, one impression brings with it, itself included. */
export function recordsPerImpression(rates: Rates): number {
  const flood = 1 + rates.doubleClicks + rates.clickFloods * 26;
  const clicks = rates.clickRate * flood * (1 + rates.orphanClicks);
  const conversions = (rates.clickRate * rates.conversionRate + rates.viewThroughRate) * (1 + rates.unattributedConversions);
  const bids = rates.winRate === 0 ? 0 : (rates.auctionShare / rates.winRate) * (1 + rates.bidsWithoutOutcome);
  const sent =
    1 + rates.duplicateImpressions + clicks * (1 + rates.duplicateClicks) + conversions * (1 + rates.duplicateConversions) + bids * (1 + rates.duplicateBids);
  return (sent * (1 + rates.idConflicts)) / (1 - rates.malformed);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
