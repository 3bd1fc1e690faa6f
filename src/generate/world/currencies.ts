import { RandomStream } from '../random-stream.ts';

/** About what a unit was worth in US dollars: a place for the rates to start from. */
const DOLLARS = {
  USD: 1,
  EUR: 1.09,
  GBP: 1.27,
  CHF: 1.13,
  CAD: 0.73,
  AUD: 0.66,
  SEK: 0.096,
  PLN: 0.25,
  JPY: 0.0067,
  INR: 0.012,
  BRL: 0.18,
} as const;

export type CurrencyCode = keyof typeof DOLLARS;
export const CURRENCY_CODES = Object.keys(DOLLARS) as [CurrencyCode, ...CurrencyCode[]];
/** The currencies that foreign amounts come in, the commonest first. */
const FOREIGN: readonly CurrencyCode[] = ['EUR', 'GBP', 'USD', 'JPY', 'CAD', 'SEK'];

/** A rate for each foreign currency and day, in 10⁻⁹ of the instance's currency for one unit: a slow random walk. */
export class CurrencyRates {
  readonly codes: readonly CurrencyCode[];
  private readonly ratesE9: Float64Array;

  constructor(seed: string, instanceCurrency: CurrencyCode, days: number) {
    const random = new RandomStream(seed, 'currency rates');
    this.codes = FOREIGN.filter((code) => code !== instanceCurrency);
    this.ratesE9 = new Float64Array(days * this.codes.length);
    for (const [index, code] of this.codes.entries()) {
      let rate = DOLLARS[code] / DOLLARS[instanceCurrency];
      for (let day = 0; day < days; day++) {
        rate *= Math.exp(0.004 * random.normal());
        this.ratesE9[day * this.codes.length + index] = Math.round(rate * 1e6) * 1e3;
      }
    }
  }

  rateE9(currency: number, day: number): number {
    return this.ratesE9[day * this.codes.length + currency] as number;
  }

  /** In micros of the instance's currency, half away from zero (SEMANTICS: money is exact). */
  convert(micros: number, currency: number, day: number): number {
    const product = BigInt(micros) * BigInt(this.rateE9(currency, day));
    return Number((product + 500_000_000n) / 1_000_000_000n);
  }
}
