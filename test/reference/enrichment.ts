/** SEMANTICS §3 (currency) and §6: what reference data adds to an event. */
import { halfUp } from './normalise.ts';
import type { Row } from './words.ts';

const AMOUNTS = ['price_cpm_micros', 'value_micros', 'amount_cpm_micros', 'clearing_cpm_micros'];

/** The rate of the event's UTC day; 10⁻⁹ instance units for one of the event's. Null where there is none. */
function rateOf(event: Row, rates: readonly Row[], instanceCurrency: string): bigint | null {
  if (event['currency'] === null || event['currency'] === instanceCurrency) return 1_000_000_000n;
  const day = new Date(Number((event['event_time'] as bigint) / 1000n)).toISOString().slice(0, 10);
  return (rates.find((rate) => rate['currency'] === event['currency'] && rate['rate_date'] === day)?.['rate_e9'] as bigint | undefined) ?? null;
}

/** An amount in a currency that has no rate on that day cannot be counted. */
export function hasUnknownCurrency(event: Row, rates: readonly Row[], instanceCurrency: string): boolean {
  const amounts = AMOUNTS.filter((column) => (event[column] ?? null) !== null);
  return amounts.length > 0 && (event['currency'] ?? null) !== null && rateOf(event, rates, instanceCurrency) === null;
}

/** The event with its amounts in the instance's currency. */
export function convertAmounts(event: Row, rates: readonly Row[], instanceCurrency: string): Row {
  const rate = rateOf(event, rates, instanceCurrency);
  const converted: Row = { ...event };
  for (const column of AMOUNTS)
    if ((event[column] ?? null) !== null && rate !== null) converted[column] = halfUp((event[column] as bigint) * rate, 1_000_000_000n);
  return converted;
}

/** An impression's campaign: its own, else its creative's at the time, else none. */
export function resolveCampaign(impression: Row, creatives: readonly Row[]): Row {
  const given = impression['campaign_id'] ?? null;
  let campaign = given;
  let since: bigint | null = null;
  if (given === null)
    for (const creative of creatives) {
      const from = (creative['valid_from'] as bigint | null) ?? -(10n ** 18n);
      if (creative['creative_id'] !== impression['creative_id'] || from > (impression['event_time'] as bigint)) continue;
      if (since === null || from > since) [campaign, since] = [creative['campaign_id']!, from];
    }
  return { ...impression, campaign_id: campaign, given_campaign_id: given };
}
