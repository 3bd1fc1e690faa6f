import { MICROS_PER_DAY } from '../diurnal-curve.ts';

/** What is expected of each campaign and UTC day; all of it sums. */
export const CAMPAIGN_DAY_MEASURES = [
  'impressions',
  'valid_impressions',
  'cost_cpm_micros',
  'clicks',
  'valid_clicks',
  'bid_requests',
  'bids_won',
  'conversions',
  'conversion_value_micros',
  'attributed_conversions',
] as const;
export type CampaignDayMeasure = (typeof CAMPAIGN_DAY_MEASURES)[number];
const WIDTH = CAMPAIGN_DAY_MEASURES.length;
const OFFSETS = Object.fromEntries(CAMPAIGN_DAY_MEASURES.map((measure, index) => [measure, index])) as Record<CampaignDayMeasure, number>;

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

  add(campaign: number, micros: number, measure: CampaignDayMeasure, amount: number): void {
    const day = Math.floor(micros / MICROS_PER_DAY) - this.firstDay;
    const at = ((campaign + 1) * this.days + day) * WIDTH + OFFSETS[measure];
    this.sums[at] = (this.sums[at] as number) + amount;
  }

  /** The campaign-days on which something happened. */
  *rows(): Generator<{ campaign: number; date: string; measures: Record<string, number> }> {
    for (let cell = 0; cell < this.sums.length / WIDTH; cell++) {
      const sums = this.sums.subarray(cell * WIDTH, (cell + 1) * WIDTH);
      if (sums.every((sum) => sum === 0)) continue;
      const date = new Date((this.firstDay + (cell % this.days)) * (MICROS_PER_DAY / 1000)).toISOString().slice(0, 10);
      const measures = Object.fromEntries(CAMPAIGN_DAY_MEASURES.map((measure, index) => [measure, sums[index] as number]));
      yield { campaign: Math.floor(cell / this.days) - 1, date, measures };
    }
  }
}
