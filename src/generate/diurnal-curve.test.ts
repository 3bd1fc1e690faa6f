import { describe, expect, it } from 'vitest';
import { countsByMinute, MINUTES_PER_DAY } from './diurnal-curve.ts';

const monday = Date.UTC(2025, 9, 20) * 1000;
const sum = (counts: Int32Array) => counts.reduce((total, count) => total + count, 0);

describe('countsByMinute', () => {
  it.each([1, 7, 1439, 100_003, 50_000_000])('gives away exactly %i', (total) => {
    for (const days of [1, 3]) {
      const counts = countsByMinute(total, monday, days);
      expect(counts.length).toBe(days * MINUTES_PER_DAY);
      expect(sum(counts)).toBe(total);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(0);
    }
  });

  it('follows the hour without steps, and the weekday', () => {
    const counts = countsByMinute(70_000_000, monday, 7);
    for (let minute = 1; minute < counts.length; minute++) {
      // Midnight joins two days of different weight.
      if (minute % MINUTES_PER_DAY !== 0) expect(Math.abs(counts[minute]! / counts[minute - 1]! - 1)).toBeLessThan(0.03);
    }
    const days = Array.from({ length: 7 }, (_, day) => sum(counts.subarray(day * MINUTES_PER_DAY, (day + 1) * MINUTES_PER_DAY)));
    expect(days.indexOf(Math.min(...days))).toBe(6);
    expect(days.indexOf(Math.max(...days))).toBeLessThan(4);
    expect(counts[20 * 60]! / counts[4 * 60]!).toBeGreaterThan(3);
  });
});
