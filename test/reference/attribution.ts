/** SEMANTICS §8, conversion → touches: the path of each conversion, and its credit by every model. */
import { ascending, MODELS, type Model, type ReferenceSettings, type Row, SECOND } from './words.ts';

const CREDIT = 1_000_000n;

/** One row for each conversion and touch of its path; one without a touch where there is none. */
export function attribute(conversions: readonly Row[], impressions: readonly Row[], clicks: readonly Row[], settings: ReferenceSettings): Row[] {
  const touches: Row[] = [
    ...impressions.filter((event) => event['valid']).map((event) => ({ ...event, touch_type: 'impression', rank: 0n })),
    ...clicks.filter((event) => event['valid']).map((event) => ({ ...event, touch_type: 'click', rank: 1n })),
  ].sort(ascending('event_time', 'rank', 'event_key'));
  return conversions.flatMap((conversion) => creditPath(conversion, touches, settings));
}

function creditPath(conversion: Row, touches: readonly Row[], settings: ReferenceSettings): Row[] {
  const eligible = touches.filter((touch) => isEligible(touch, conversion, settings));
  const clicksOnly = settings.attribution.eligible === 'click_preferred' && eligible.some((touch) => touch['touch_type'] === 'click');
  const whole = eligible.filter((touch) => !clicksOnly || touch['touch_type'] === 'click');
  const path = whole.slice(-settings.attribution.max_touches);
  const value = (conversion['value_micros'] as bigint | null) ?? 0n;
  const shared = { conversion_key: conversion['event_key']!, conversion_time: conversion['event_time']!, user_id: conversion['user_id']! };

  if (path.length === 0) {
    const row: Row = {
      ...shared,
      touch_key: null,
      touch_type: null,
      touch_time: null,
      campaign_id: conversion['campaign_id']!,
      path_position: 0n,
      path_length: 0n,
    };
    for (const model of MODELS) [row[`${model}_ppm`], row[`${model}_value_micros`]] = [CREDIT, value];
    return [{ ...row, path_cut: false }];
  }
  const elapsed = path.map((touch) => (conversion['event_time'] as bigint) - (touch['event_time'] as bigint));
  const rows: Row[] = path.map((touch, i) => ({
    ...shared,
    touch_key: touch['event_key']!,
    touch_type: touch['touch_type']!,
    touch_time: touch['event_time']!,
    campaign_id: touch['campaign_id']!,
    path_position: BigInt(i + 1),
    path_length: BigInt(path.length),
    path_cut: path.length < whole.length,
  }));
  for (const model of MODELS) {
    const weights = modelWeights(model, elapsed, BigInt(settings.attribution.half_life_seconds) * SECOND);
    const credit = splitExactly(CREDIT, weights);
    const values = splitExactly(value, weights);
    for (const [i, row] of rows.entries()) [row[`${model}_ppm`], row[`${model}_value_micros`]] = [credit[i]!, values[i]!];
  }
  return rows;
}

function isEligible(touch: Row, conversion: Row, settings: ReferenceSettings): boolean {
  const { match, click_window_seconds, impression_window_seconds } = settings.attribution;
  if (touch['user_id'] !== conversion['user_id']) return false;
  if (match === 'campaign' && conversion['campaign_id'] !== null && touch['campaign_id'] !== conversion['campaign_id']) return false;
  const elapsed = (conversion['event_time'] as bigint) - (touch['event_time'] as bigint);
  const window = BigInt(touch['touch_type'] === 'click' ? click_window_seconds : impression_window_seconds) * SECOND;
  return elapsed >= 0n && elapsed < window;
}

/** A weight for each touch, first to last, given how long before the conversion each was. */
export function modelWeights(model: Model, elapsed: readonly bigint[], halfLife: bigint): bigint[] {
  const n = elapsed.length;
  return elapsed.map((age, i) => {
    const ends = i === 0 || i === n - 1;
    switch (model) {
      case 'last_touch':
        return i === n - 1 ? 1n : 0n;
      case 'first_touch':
        return i === 0 ? 1n : 0n;
      case 'linear':
        return 1n;
      case 'position_based':
        return n <= 2 || !ends ? 1n : 2n * (BigInt(n) - 2n);
      case 'time_decay': {
        const k = (64n * age) / halfLife;
        const weight = BigInt(Math.round(2 ** (20 - Number(k % 64n) / 64))) >> (k / 64n);
        return weight < 1n ? 1n : weight;
      }
    }
    throw new Error(`no such model: ${model as string}`);
  });
}

/** ⌊V·w/Σw⌋ to each; the units left over go one each to the largest remainders, of equal ones to the later touch. */
export function splitExactly(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  const shares = weights.map((weight) => (total * weight) / sum);
  const remainders = weights.map((weight, i) => ({ remainder: (total * weight) % sum, i }));
  remainders.sort((a, b) => (a.remainder === b.remainder ? b.i - a.i : a.remainder > b.remainder ? -1 : 1));
  const left = total - shares.reduce((a, b) => a + b, 0n);
  for (const { i } of remainders.slice(0, Number(left))) shares[i] = shares[i]! + 1n;
  return shares;
}
