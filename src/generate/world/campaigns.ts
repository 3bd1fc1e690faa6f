import { WeightedChoice, zipfWeights } from '../popularity.ts';
import { RandomStream } from '../random-stream.ts';
import type { Rates } from '../rates.ts';
import { scrambledId } from './hashing.ts';
import { AUDIENCES, BRANDS, FORMATS, OCCASIONS } from './names.ts';

export type PricingModel = 'cpm' | 'cpc' | 'cpa';

export interface Campaign {
  readonly index: number;
  readonly id: string;
  /** `,"campaign_id":"…"` */
  readonly member: string;
  readonly name: string;
  readonly pricing: PricingModel;
  readonly rateMicros: number;
  readonly budgetMicros: number;
  readonly clickRate: number;
  readonly conversionRate: number;
  /** Median of what an order is worth. */
  readonly orderValueMicros: number;
  /** Mean price of a thousand of its impressions. */
  readonly cpmMicros: number;
  readonly creatives: readonly Creative[];
  readonly creativeChoice: WeightedChoice;
}

export interface Creative {
  readonly id: string;
  /** `,"creative_id":"…"` */
  readonly member: string;
  readonly name: string;
  readonly format: string;
  readonly campaign: number;
  /** From then on it belongs to `movesTo`. */
  readonly movesAtMicros: number;
  readonly movesTo: number;
}

export interface CampaignSet {
  readonly all: readonly Campaign[];
  readonly choice: WeightedChoice;
}

const ORDER_VALUE_SIGMA = 0.5;

/** Campaigns whose figures an advertiser would believe: CPMs of 0.5 to 8, and a return on spend of about 0.5 to 6. */
export function buildCampaigns(seed: string, count: number, rates: Rates, startMicros: number, endMicros: number): CampaignSet {
  const random = new RandomStream(seed, 'campaigns');
  const weights = zipfWeights(count, rates.campaignZipf);
  const clickRates = spreadAround(random, weights, rates.clickRate, 0.38, 0.4, 1.9);
  const conversionRates = spreadAround(random, weights, rates.conversionRate, 0.45, 0.35, 2.1);
  const firstNumber = 10_000 + random.below(80_000);
  const salt = random.bits();
  const creativesOf = buildCreatives(random, salt, count, rates, startMicros, endMicros);
  const all = weights.reduce<Campaign[]>((campaigns, weight, index) => {
    const cpm = clamp(random.logNormal(2, 0.55), 0.5, 8);
    const clickRate = clickRates[index] as number;
    const conversionRate = conversionRates[index] as number;
    const conversionsPerImpression = Math.max(1e-9, clickRate * conversionRate + rates.viewThroughRate);
    const pricing = pricingFor(random.fraction());
    // A rate an advertiser would pay for what an impression costs: between its own cost and a good deal more.
    const margin = 0.9 + 0.5 * random.fraction();
    const perResult = (cpm / 1000) * margin;
    const rate =
      pricing === 'cpm' ? cpm : pricing === 'cpc' ? clamp(perResult / Math.max(clickRate, 1e-6), 0.05, 8) : clamp(perResult / conversionsPerImpression, 1, 80);
    const spendPerImpression = pricing === 'cpm' ? cpm / 1000 : pricing === 'cpc' ? rate * clickRate : rate * conversionsPerImpression;
    const targetReturn = clamp(random.logNormal(2.2, 0.5), 0.6, 5.5);
    const meanOrder = (targetReturn * spendPerImpression) / (conversionsPerImpression * Math.max(0.05, rates.purchases));
    campaigns.push({
      index,
      id: campaignId(index, firstNumber, salt),
      member: `,"campaign_id":"${campaignId(index, firstNumber, salt)}"`,
      name: `${BRANDS[index % BRANDS.length]} – ${random.pick(OCCASIONS)} (${random.pick(AUDIENCES)})`,
      pricing,
      rateMicros: Math.round(rate * 100) * 10_000,
      budgetMicros: Math.max(1, Math.round((weight / (weights[0] as number)) * 50)) * 1_000_000_000,
      clickRate,
      conversionRate,
      orderValueMicros: (clamp(meanOrder, 3, 600) * 1e6) / Math.exp(ORDER_VALUE_SIGMA ** 2 / 2),
      cpmMicros: cpm * 1e6,
      creatives: creativesOf[index] as Creative[],
      creativeChoice: new WeightedChoice(zipfWeights((creativesOf[index] as Creative[]).length, 0.7)),
    });
    return campaigns;
  }, []);
  return { all, choice: new WeightedChoice(weights) };
}

/** What an order of the campaign is worth, in micros and whole cents. */
export function drawOrderValue(campaign: Campaign, random: RandomStream): number {
  return Math.max(1, Math.round(random.logNormal(campaign.orderValueMicros, ORDER_VALUE_SIGMA) / 10_000)) * 10_000;
}

function buildCreatives(random: RandomStream, salt: number, campaigns: number, rates: Rates, startMicros: number, endMicros: number): Creative[][] {
  let serial = 0;
  return Array.from({ length: campaigns }, (_, campaign) =>
    Array.from({ length: 2 + random.below(6) }, (): Creative => {
      const format = random.pick(FORMATS);
      const moves = campaigns > 1 && random.chance(rates.movedCreatives);
      const minutes = Math.floor((endMicros - startMicros) / 60e6);
      const movesAtMicros = startMicros + Math.floor(minutes * (0.2 + 0.6 * random.fraction())) * 60e6;
      const other = (campaign + 1 + random.below(Math.max(1, campaigns - 1))) % campaigns;
      const number = ++serial;
      const id = `cr-${scrambledId(0, number, salt).slice(0, 5)}${number}`;
      return {
        id,
        member: `,"creative_id":"${id}"`,
        name: `${random.pick(['Hero', 'Offer', 'Logo', 'Story', 'Carousel', 'Teaser'])} ${format}${number % 7 === 0 ? ', variant "B"' : ''}`,
        format,
        campaign,
        movesAtMicros: moves ? movesAtMicros : Number.POSITIVE_INFINITY,
        movesTo: moves ? other : campaign,
      };
    }),
  );
}

/** Log-normal around a mean that holds for the whole, popularity taken into account, within multiples of it. */
function spreadAround(random: RandomStream, weights: Float64Array, mean: number, sigma: number, low: number, high: number): Float64Array {
  const factors = weights.map(() => clamp(random.spread(sigma), low, high));
  let weighted = 0;
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    weighted += (weights[i] as number) * (factors[i] as number);
    total += weights[i] as number;
  }
  return factors.map((factor) => Math.min(1, (factor * mean * total) / weighted));
}

function campaignId(index: number, firstNumber: number, salt: number): string {
  // Most systems number their campaigns; some use names of their own.
  return index % 4 === 3 ? `cmp-${scrambledId(0, index, salt)}` : String(firstNumber + index * 37);
}

function pricingFor(draw: number): PricingModel {
  return draw < 0.6 ? 'cpm' : draw < 0.88 ? 'cpc' : 'cpa';
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
