import { expect, it } from 'vitest';
import { WorkShare } from './work-share.ts';

it('says which part of the last half minute it was', () => {
  let now = 100;
  const work = new WorkShare(() => now);
  expect(work.share()).toBe(0);
  for (; now < 160; now++) work.took(0.75);
  expect(work.share()).toBeCloseTo(0.75, 1);
  now += 20;
  expect(work.share()).toBeCloseTo(0.25, 1);
  now += 20;
  expect(work.share()).toBe(0);
  work.took(100);
  expect(work.share()).toBe(1);
});
