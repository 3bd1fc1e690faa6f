/** SEMANTICS §3 (currency) and §6: what reference data adds to an event. */
import { halfUp, MAX_MICROS } from './normalise.ts';
import type { Row } from './words.ts';

const AMOUNTS = ['price_cpm_micros', 'value_micros', 'amount_cpm_micros', 'clearing_cpm_micros'];

/** The rate of the event's UTC day; 10⁻⁹ instance units for one of the event's. Null where there is none. */
function rateOf(event: Row, rates: readonly Row[], instanceCurrency: string): bigint | null {
  if (event['currency'] === null || event['currency'] === instanceCurrency) return 1_000_000_000n;
  const day = new Date(Number((event['event_time'] as bigint) / 1000n)).toISOString().slice(0, 10);
  return (rates.find((rate) => rate['currency'] === event['currency'] && rate['rate_date'] === day)?.['rate_e9'] as bigint | undefined) ?? null;
}

/** The event with its amounts in the instance's currency, by the rates known when it was received; or why that cannot be done. */
export function convertAmounts(event: Row, rates: readonly Row[], instanceCurrency: string): Row | 'unknown_currency' | 'bad_number' {
  const converted: Row = { ...event };
  for (const column of AMOUNTS) {
    if ((event[column] ?? null) === null) continue;
    const rate = rateOf(event, rates, instanceCurrency);
    if (rate === null) return 'unknown_currency';
    const amount = halfUp((event[column] as bigint) * rate, 1_000_000_000n);
    if (amount > MAX_MICROS) return 'bad_number';
    converted[column] = amount;
  }
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
  return { ...impression, campaign_id: campaign, campaign_given: given !== null };
}
