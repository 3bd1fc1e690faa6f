import { expect, it } from 'vitest';
import { EVENT_LAG_BOUNDS_SECONDS, EventLagTally } from './event-lag.ts';

it('counts each lag in the first stretch that holds it, and what is longer than all at the end', () => {
  const tally = new EventLagTally();
  for (const seconds of [0, 1, 1.000001, 60, 2_592_000, 2_592_001, 9e9]) tally.add(seconds * 1_000_000);
  const { counts, sumSeconds } = tally.take() ?? { counts: [], sumSeconds: 0 };
  const places = [0, 0, 1, 3, 15, 16, 16];
  expect(counts).toEqual(Array.from({ length: EVENT_LAG_BOUNDS_SECONDS.length + 1 }, (_, bucket) => places.filter((place) => place === bucket).length));
  expect(sumSeconds).toBeCloseTo(1 + 1.000001 + 60 + 2_592_000 + 2_592_001 + 9e9, 3);
});

it('takes an event of a clock that is ahead for one of this moment', () => {
  const tally = new EventLagTally();
  tally.add(-300_000_000);
  expect(tally.take()).toMatchObject({ sumSeconds: 0, counts: [1, ...new Array(16).fill(0)] });
});

it('gives what it counted once', () => {
  const tally = new EventLagTally();
  expect(tally.take()).toBeUndefined();
  tally.add(5_000_000);
  expect(tally.take()?.counts[1]).toBe(1);
  expect(tally.take()).toBeUndefined();
});
