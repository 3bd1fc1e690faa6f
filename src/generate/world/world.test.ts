import { isbot } from 'isbot';
import { describe, expect, it } from 'vitest';
import { planTraffic } from '../options.ts';
import { RandomStream } from '../random-stream.ts';
import { ODD_TIME_FORMS } from '../records/time-forms.ts';
import { buildWorld } from '../simulation/world.ts';
import { drawOrderValue } from './campaigns.ts';
import { CURRENCY_CODES, CurrencyRates } from './currencies.ts';
import { IdSequence, scrambledId } from './hashing.ts';
import { SEGMENTS } from './names.ts';
import { PLACES } from './places.ts';
import { BOTS, DEVICES } from './user-agents.ts';

const plan = planTraffic({ directory: 'x', seed: 5, startDate: '2025-10-20', impressions: 5_000_000, users: 20_000, campaigns: 300, sites: 2000 });
const world = buildWorld(plan);

describe('user agents', () => {
  it('of bots are known to isbot, of people and of hidden bots are not', () => {
    expect(BOTS.filter(({ userAgent }) => !isbot(userAgent))).toEqual([]);
    expect(DEVICES.filter(({ userAgent }) => isbot(userAgent))).toEqual([]);
  });
});

describe('ids', () => {
  it('never repeat, in one sequence and among users', () => {
    const sequence = new IdSequence('im', 99);
    const ids = Array.from({ length: 200_000 }, () => sequence.next());
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^im[0-9a-z]{10}$/.test(id))).toBe(true);
    const { audience } = world;
    const users = Array.from({ length: audience.size }, (_, user) => audience.id(user));
    expect(new Set(users).size).toBe(audience.size);
  });

  it('are a permutation: halves decide the text and the text the halves', () => {
    const texts = new Set<string>();
    for (let high = 0; high < 300; high++) for (let low = 0; low < 300; low++) texts.add(scrambledId(high, low, 7));
    expect(texts.size).toBe(90_000);
  });

  it('of some users are numbers past 2^53 that a signed long holds', () => {
    const { audience } = world;
    const numeric = Array.from({ length: audience.size }, (_, user) => user).filter((user) => audience.hasNumericId(user));
    expect(numeric.length / audience.size).toBeCloseTo(0.15, 1);
    for (const user of numeric) {
      const id = BigInt(audience.id(user));
      expect(id > 2n ** 53n && id < 2n ** 63n).toBe(true);
    }
  });
});

describe('people', () => {
  const { audience } = world;
  const users = Array.from({ length: audience.people }, (_, user) => user);

  it('keep their profiles, in which everything there is occurs', () => {
    const random = new RandomStream('devices', 'test');
    expect(new Set(users.map((user) => audience.place(user)))).toEqual(new Set(PLACES));
    expect(new Set(users.map((user) => audience.segment(user))).size).toBe(SEGMENTS.length);
    expect([...new Set(users.map((user) => audience.gender(user)))].sort()).toEqual(['female', 'male', 'other', 'unknown']);
    expect(new Set(users.map((user) => audience.age(user))).size).toBe(7);
    expect(new Set(users.map((user) => audience.device(user, random)))).toEqual(new Set(DEVICES));
    const devices = users.slice(0, 300).map((user) => new Set(Array.from({ length: 40 }, () => audience.device(user, random))).size);
    expect(new Set(devices)).toEqual(new Set([1, 2]));
    const again = buildWorld(plan).audience;
    expect(users.filter((user) => again.place(user) !== audience.place(user) || again.id(user) !== audience.id(user))).toEqual([]);
  });

  it('are on average as eager as the average, some much more', () => {
    const eager = users.map((user) => audience.eagerness(user)).sort((a, b) => a - b);
    expect(eager.reduce((sum, each) => sum + each, 0) / eager.length).toBeCloseTo(1, 1);
    expect(eager.at(-1)).toBeGreaterThan(2.5);
    expect(eager[0]).toBeLessThan(0.3);
  });
});

describe('campaigns', () => {
  const { all } = world.campaigns;

  it('have rates that an advertiser would believe', () => {
    const between = (values: readonly number[], low: number, high: number) => expect(values.filter((value) => !(value >= low && value <= high))).toEqual([]);
    const priced = (pricing: string) => all.filter((campaign) => campaign.pricing === pricing).map(({ rateMicros }) => rateMicros / 1e6);
    between(priced('cpm'), 0.5, 8);
    between(priced('cpc'), 0.05, 8);
    between(priced('cpa'), 1, 80);
    between(
      all.map(({ clickRate }) => clickRate),
      0.0025,
      0.017,
    );
    between(
      all.map(({ conversionRate }) => conversionRate),
      0.008,
      0.07,
    );
    expect(Math.min(...['cpm', 'cpc', 'cpa'].map((pricing) => priced(pricing).length))).toBeGreaterThan(15);
  });

  it('return about 0.5 to 6 times what they cost', () => {
    const random = new RandomStream('orders', 'test');
    const returns = all.map((campaign) => {
      const conversions = campaign.clickRate * campaign.conversionRate + plan.rates.viewThroughRate;
      const orders = Array.from({ length: 2000 }, () => drawOrderValue(campaign, random));
      const order = orders.reduce((sum, value) => sum + value, 0) / orders.length / 1e6;
      const rate = campaign.rateMicros / 1e6;
      const cost = { cpm: rate / 1000, cpc: rate * campaign.clickRate, cpa: rate * conversions }[campaign.pricing];
      return (conversions * plan.rates.purchases * order) / cost;
    });
    expect(returns.filter((value) => value > 0.5 && value < 6).length / returns.length).toBeGreaterThan(0.95);
    expect(new Set(returns.map(Math.round)).size).toBeGreaterThan(4);
  });

  it('have creatives of their own, some of which move', () => {
    const creatives = all.flatMap((campaign) => campaign.creatives);
    expect(new Set(creatives.map(({ id }) => id)).size).toBe(creatives.length);
    const moved = creatives.filter(({ movesTo, campaign }) => movesTo !== campaign);
    expect(moved.length / creatives.length).toBeCloseTo(0.05, 1);
    for (const { movesAtMicros } of moved) {
      expect(movesAtMicros).toBeGreaterThan(plan.startMicros);
      expect(movesAtMicros).toBeLessThan(world.endMicros);
      // On the minute, so that cutting a time to seconds never carries it across.
      expect(movesAtMicros % 60_000_000).toBe(0);
    }
    expect(creatives.filter(({ movesTo, campaign, movesAtMicros }) => movesTo === campaign && movesAtMicros !== Number.POSITIVE_INFINITY)).toEqual([]);
  });
});

describe('sites', () => {
  it('have host names of their own, and their ways of writing', () => {
    const { all } = world.sites;
    expect(new Set(all.map(({ host }) => host)).size).toBe(all.length);
    expect(all.every(({ host }) => /^[a-z0-9-]+\.example$/.test(host))).toBe(true);
    const odd = all.filter(({ timeForm }) => timeForm !== 'millis');
    expect(odd.length / all.length).toBeCloseTo(0.15, 1);
    expect(new Set(odd.map(({ timeForm }) => timeForm))).toEqual(new Set(ODD_TIME_FORMS));
    for (const { website, websiteHasPage } of all) JSON.parse(`{"x":1${website}${websiteHasPage ? '1"' : ''}}`);
  });
});

describe('currency rates', () => {
  it.each(CURRENCY_CODES)('are there for each day and foreign currency of an instance in %s', (code) => {
    const rates = new CurrencyRates('rates', code, 40);
    expect(rates.codes).not.toContain(code);
    expect(rates.codes.length).toBeGreaterThan(4);
    for (let day = 0; day < 40; day++) {
      for (const index of rates.codes.keys()) {
        expect(rates.rateE9(index, day)).toBeGreaterThan(0);
        expect(Number.isInteger(rates.rateE9(index, day))).toBe(true);
      }
    }
  });

  it('convert exactly, half away from zero', () => {
    const rates = new CurrencyRates('rates', 'USD', 1);
    for (const micros of [1, 2_345_600, 599_990_000, 123_456_789]) {
      const exact = BigInt(micros) * BigInt(rates.rateE9(0, 0)) * 2n;
      expect(BigInt(rates.convert(micros, 0, 0))).toBe((exact + 1_000_000_000n) / 2_000_000_000n);
    }
  });
});
