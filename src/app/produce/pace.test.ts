import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

const { signal } = new AbortController();

/** Time that goes on only by waiting. */
class Clock {
  now = 0;
  nowMillis(): number {
    return this.now;
  }
  async wait(millis: number): Promise<void> {
    this.now += millis;
  }
}

async function timesOf(pace: Pace, clock: Clock, portions: number, records: number): Promise<number[]> {
  const times: number[] = [];
  for (let portion = 0; portion < portions; portion++) {
    await pace.waitFor(records, signal);
    times.push(clock.now);
  }
  return times;
}

it('lets as many go as the rate allows, ten times a second', async () => {
  const clock = new Clock();
  const pace = new Pace(100, clock);
  expect(pace.portion).toBe(10);
  expect(await timesOf(pace, clock, 5, pace.portion)).toEqual([0, 100, 200, 300, 400]);
  expect(new Pace(3, clock).portion).toBe(1);
});

it('makes up for a second that was lost, and not for more', async () => {
  const clock = new Clock();
  const pace = new Pace(1_000, clock);
  clock.now = 60_000;
  expect(await timesOf(pace, clock, 13, 100)).toEqual([...Array(11).fill(60_000), 60_100, 60_200]);
});

it('never waits without a rate, and ends its waiting with the signal', async () => {
  const pace = new Pace(undefined);
  expect(pace.portion).toBe(Number.POSITIVE_INFINITY);
  await pace.waitFor(1_000_000_000, signal);
  await pace.waitFor(1, signal);
  const slow = new Pace(1);
  await slow.waitFor(60, signal);
  await expect(slow.waitFor(1, AbortSignal.timeout(5))).rejects.toThrow(/abort/i);
});
