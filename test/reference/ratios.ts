/** SEMANTICS §9: ratios of the daily sums, kept as exact fractions. */
import { MODELS, type Model, type Row } from './words.ts';

export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** The figures of one campaign on one day, by one model; conversions by the day of the touch. Money is in micros. */
export interface ReportRow {
  readonly report_date: string;
  readonly campaign_id: string | null;
  readonly model: Model;
  readonly reach: bigint;
  readonly ctr: Fraction | null;
  readonly cvr: Fraction | null;
  readonly spend: Fraction | null;
  readonly cpa: Fraction | null;
  readonly cpc: Fraction | null;
  readonly ecpm: Fraction | null;
  readonly roas: Fraction | null;
  readonly win_rate: Fraction | null;
  readonly frequency: Fraction | null;
}

const MILLION = 1_000_000n;

function fraction(numerator: bigint, denominator: bigint): Fraction | null {
  return denominator === 0n ? null : { numerator, denominator };
}

function divide(dividend: Fraction | null, divisor: Fraction | null): Fraction | null {
  if (dividend === null || divisor === null) return null;
  return fraction(dividend.numerator * divisor.denominator, dividend.denominator * divisor.numerator);
}

/** What a campaign cost on a day, micros; null where nothing says what it costs. */
export function spendOf(day: Row, campaign: Row | undefined, model: Model): Fraction | null {
  const count = (measure: string) => day[measure] as bigint;
  const rate = (campaign?.['rate_micros'] ?? null) as bigint | null;
  const pricing = campaign?.['pricing_model'] ?? null;
  if (pricing === 'cpc') return rate === null ? null : fraction(rate * count('valid_clicks'), 1n);
  if (pricing === 'cpa') return rate === null ? null : fraction(rate * count(`${model}_ppm`), MILLION);
  const rateOfOthers = pricing === 'cpm' ? rate : null;
  if (rateOfOthers === null && count('priced_impressions') === 0n) return null;
  return fraction(count('cost_cpm_micros') + (rateOfOthers ?? 0n) * (count('valid_impressions') - count('priced_impressions')), 1000n);
}

export function campaignReport(daily: readonly Row[], userDays: readonly Row[], auctionDays: readonly Row[], campaigns: readonly Row[]): ReportRow[] {
  const rows: ReportRow[] = [];
  for (const day of daily)
    for (const model of MODELS) {
      const sameDay = (row: Row) => row['report_date'] === day['report_date'] && row['campaign_id'] === day['campaign_id'];
      const count = (measure: string) => day[measure] as bigint;
      const reach = BigInt(userDays.filter(sameDay).length);
      const withOutcome = auctionDays.filter(sameDay).reduce((sum, row) => sum + (row['bids_with_outcome'] as bigint), 0n);
      const campaign = campaigns.find((row) => row['campaign_id'] === day['campaign_id']);
      const spend = spendOf(day, campaign, model);
      rows.push({
        report_date: day['report_date'] as string,
        campaign_id: day['campaign_id'] as string | null,
        model,
        reach,
        ctr: fraction(count('valid_clicks'), count('valid_impressions')),
        cvr: fraction(count(`${model}_click_ppm`), MILLION * count('valid_clicks')),
        spend,
        cpa: divide(spend, fraction(count(`${model}_ppm`), MILLION)),
        cpc: divide(spend, fraction(count('valid_clicks'), 1n)),
        ecpm: divide(spend, fraction(count('valid_impressions'), 1000n)),
        roas: divide(fraction(count(`${model}_value_micros`), 1n), spend),
        win_rate: fraction(count('bids_won'), withOutcome),
        frequency: fraction(count('valid_impressions'), reach),
      });
    }
  return rows;
}
