import { expect, it } from 'vitest';
import { StageClock } from './stage-clock.ts';

let now = 0;
function clockOf(...steps: (readonly [step: string, tookSeconds: number])[]): StageClock {
  const clock = new StageClock(() => now);
  for (const [step, seconds] of steps) {
    clock.step(step);
    now += seconds;
  }
  return clock;
}

it('sums the time of a batch by stage', () => {
  const clock = clockOf(
    ['begin', 1],
    ['identify/suspects', 2],
    ['identify/verdicts', 4],
    ['reference/users', 8],
    ['resolve/impressions', 16],
    ['gold/campaign_hourly', 32],
    ['quarantine/quarantine', 64],
    ['books', 128],
    ['commit', 256],
    ['committed', 512],
  );
  expect(Object.fromEntries(clock.take())).toEqual({ stage: 1, identify: 6, resolve: 24, gold: 32, books: 192, commit: 256 });
  expect(clock.take().size).toBe(0);
});

it('forgets a batch that failed, and what is between batches', () => {
  const clock = clockOf(['begin', 1], ['gold/campaign_hourly', 2], ['begin', 4], ['commit', 8], ['committed', 16], ['lake', 32]);
  expect(Object.fromEntries(clock.take())).toEqual({ stage: 4, commit: 8 });
});

it('counts a step that it does not know to the stage before it', () => {
  expect(Object.fromEntries(clockOf(['begin', 1], ['books', 2], ['anything new', 4], ['committed', 0]).take())).toEqual({ stage: 1, books: 6 });
});
