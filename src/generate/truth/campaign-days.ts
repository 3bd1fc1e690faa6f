import { MICROS_PER_DAY } from '../diurnal-curve.ts';

/** What is expected of each campaign and UTC day, with its place in a row; all of it sums. */
export const MEASURE = {
  impressions: 0,
  valid_impressions: 1,
  cost_cpm_micros: 2,
  clicks: 3,
  valid_clicks: 4,
  bid_requests: 5,
  bids_won: 6,
  conversions: 7,
  conversion_value_micros: 8,
  attributed_conversions: 9,
} as const;
type Measure = (typeof MEASURE)[keyof typeof MEASURE];
const WIDTH = Object.keys(MEASURE).length;

export class CampaignDays {
  private readonly sums: Float64Array;
  private readonly firstDay: number;
  private readonly days: number;

  /** Campaigns are counted from 0; −1 is no campaign. */
  constructor(campaigns: number, firstDay: number, days: number) {
    this.firstDay = firstDay;
    this.days = days;
    this.sums = new Float64Array((campaigns + 1) * days * WIDTH);
  }

  add(campaign: number, micros: number, measure: Measure, amount: number): void {
    const day = Math.floor(micros / MICROS_PER_DAY) - this.firstDay;
    const at = ((campaign + 1) * this.days + day) * WIDTH + measure;
    this.sums[at] = (this.sums[at] as number) + amount;
  }

  /** The campaign-days on which something happened. */
  *rows(): Generator<{ campaign: number; date: string; measures: Record<string, number> }> {
    for (let cell = 0; cell < this.sums.length / WIDTH; cell++) {
      const sums = this.sums.subarray(cell * WIDTH, (cell + 1) * WIDTH);
      if (sums.every((sum) => sum === 0)) continue;
      const date = new Date((this.firstDay + (cell % this.days)) * (MICROS_PER_DAY / 1000)).toISOString().slice(0, 10);
      const measures = Object.fromEntries(Object.entries(MEASURE).map(([measure, index]) => [measure, sums[index] as number]));
      yield { campaign: Math.floor(cell / this.days) - 1, date, measures };
    }
  }
}
