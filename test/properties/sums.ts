/** SEMANTICS §10 by the product's own tables: equations that hold whatever the right figures are. */
import { MODELS, type Row } from '../reference/words.ts';
import type { Tables } from './compare-tables.ts';

/** The equations that are broken, in words. */
export function brokenSums(tables: Tables): string[] {
  const broken: string[] = [];
  const rows = (name: string) => tables[name]!;
  const sum = (of: readonly Row[], column: string) => of.reduce((total, row) => total + ((row[column] as bigint | null) ?? 0n), 0n);
  const equal = (equation: string, left: bigint | number, right: bigint | number) => {
    if (BigInt(left) !== BigInt(right)) broken.push(`${equation}: ${left} is not ${right}`);
  };

  for (const row of rows('ops.outcomes'))
    equal(
      `received = accepted + duplicate + quarantined of ${row['source']}`,
      row['received'] as bigint,
      ['accepted', 'duplicate', 'quarantined'].reduce((total, column) => total + (row[column] as bigint), 0n),
    );
  const silver = ['silver.impressions', 'silver.clicks', 'silver.conversions', 'silver.bid_requests'].flatMap(rows);
  const eventOutcomes = rows('ops.outcomes').filter((row) => ['ad-impressions', 'clicks-conversions', 'bid-requests'].includes(row['feed'] as string));
  equal('rows in silver = accepted', silver.length, sum(eventOutcomes, 'accepted'));
  equal('event keys are unique', silver.length, new Set(silver.map((row) => row['event_key'])).size);
  equal('rows in quarantine = quarantined', rows('ops.quarantine').length, sum(rows('ops.outcomes'), 'quarantined'));
  equal('an invalid row has a reason, a valid one none', silver.filter((row) => row['valid'] === (row['invalid_reasons'] !== null)).length, 0);

  const attribution = rows('gold.attribution');
  const conversions = rows('silver.conversions');
  for (const conversion of conversions) {
    const path = attribution.filter((row) => row['conversion_key'] === conversion['event_key']);
    for (const model of MODELS) {
      equal(`credit of ${conversion['event_key']} by ${model}`, sum(path, `${model}_ppm`), 1_000_000n);
      equal(`value of ${conversion['event_key']} by ${model}`, sum(path, `${model}_value_micros`), (conversion['value_micros'] as bigint | null) ?? 0n);
    }
  }
  equal(
    'attribution of conversions that are there',
    attribution.filter((row) => !conversions.some((conversion) => conversion['event_key'] === row['conversion_key'])).length,
    0,
  );
  equal('touches after their conversion', attribution.filter((row) => row['touch_time'] !== null && row['touch_time']! > row['conversion_time']!).length, 0);
  const valid = new Set([...rows('silver.impressions'), ...rows('silver.clicks')].filter((row) => row['valid']).map((row) => row['event_key']));
  equal('touches that are not valid', attribution.filter((row) => row['touch_key'] !== null && !valid.has(row['touch_key']!)).length, 0);

  const facts: [string, readonly Row[]][] = [
    ['impressions', rows('silver.impressions')],
    ['clicks', rows('silver.clicks')],
    ['conversions', conversions],
    ['bid_requests', rows('silver.bid_requests')],
  ];
  for (const [measure, events] of facts) {
    equal(`hourly ${measure} = facts`, sum(rows('gold.campaign_hourly'), measure), events.length);
    equal(`daily ${measure} = facts`, sum(rows('gold.campaign_daily'), measure), events.length);
  }
  for (const model of MODELS)
    for (const column of [`${model}_ppm`, `${model}_value_micros`])
      equal(
        `hourly ${column} = credit of touches`,
        sum(rows('gold.campaign_hourly'), column),
        sum(
          attribution.filter((row) => row['touch_key'] !== null),
          column,
        ),
      );
  return broken;
}
