import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { median, slopePerSecond } from '../soak/robust.ts';
import { runSoak } from '../soak/run-soak.ts';

/** A quarter of a minute of what test/soak/live.ts does for an hour. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-soak-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('loses nothing under a steady load, with a fault every other second', async () => {
  const data = join(folder, 'data');
  mkdirSync(data);
  const result = await runSoak({ data, seconds: 15, seed: 'short', recordsPerSecond: 1_000, sampleSeconds: 1, faultSeconds: 1.5, onSample: () => undefined });
  expect(result.failures).toEqual([]);
  // A busy machine comes to less.
  expect(result.acknowledged).toBeGreaterThan(100);
  expect(result.samples.length).toBeGreaterThan(0);
  expect(Object.keys(result.faults).length).toBeGreaterThan(0);
});

it('sees that memory grows, and takes no peak for it', () => {
  const points = Array.from({ length: 100 }, (_, second) => [second, 500 + 2 * second + (second % 7)] as const);
  expect(slopePerSecond(points)).toBeCloseTo(2, 1);
  const peaks = Array.from({ length: 100 }, (_, second) => [second, second > 90 ? 900 : 500 + (second % 7)] as const);
  expect(Math.abs(slopePerSecond(peaks))).toBeLessThan(0.5);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});
