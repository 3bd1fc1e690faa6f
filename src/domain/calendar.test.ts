import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { daysOfDayNumber, daysSinceEpoch, formatDay, isCalendarDay, readDay } from './calendar.ts';

/** A date by the runtime's own calendar; setUTCFullYear because Date.UTC takes years 0-99 for 1900-1999. */
function dateOf(year: number, month: number, day: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date;
}

describe('days', () => {
  test('every day of years 0 to 9999 that Date knows is counted as Date counts it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 31 }), (year, month, day) => {
        const date = dateOf(year, month, day);
        const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        expect(isCalendarDay(year, month, day)).toBe(isDay);
        if (isDay) expect(daysSinceEpoch(year, month, day)).toBe(date.getTime() / 86_400_000);
      }),
      { numRuns: 5_000 },
    );
  });

  test('runs on without a step over four centuries', () => {
    let expected = daysSinceEpoch(1899, 12, 31);
    for (let year = 1900; year < 2301; year++) {
      for (let month = 1; month <= 12; month++) {
        for (let day = 1; day <= 31; day++) {
          if (!isCalendarDay(year, month, day)) continue;
          expected++;
          if (daysSinceEpoch(year, month, day) !== expected) expect.fail(`${year}-${month}-${day}`);
        }
      }
    }
    expect(expected).toBe(daysSinceEpoch(2300, 12, 31));
  });

  test.each([
    [1900, 2, 29, false],
    [2000, 2, 29, true],
    [2024, 2, 29, true],
    [2026, 2, 29, false],
    [2024, 2, 30, false],
    [2026, 4, 31, false],
    [2026, 0, 1, false],
    [2026, 13, 1, false],
    [2026, 1, 0, false],
  ])('%i-%i-%i', (year, month, day, isDay) => {
    expect(isCalendarDay(year, month, day)).toBe(isDay);
  });

  test.each([
    ['2026-03-14', 20_526],
    ['1970-01-01', 0],
    ['2000-02-29', 11_016],
    ['0000-01-01', -719_528],
    ['9999-12-31', 2_932_896],
  ])('%s is day %i', (text, days) => {
    expect(daysOfDayNumber(readDay(Buffer.from(text), 0))).toBe(days);
    if (days >= 0) expect(formatDay(days)).toBe(text);
  });

  test.each(['2026-02-29', '2026/03/14', '2026-3-140', '20260314  ', 'yyyy-mm-dd', '2026-03-1x', '-026-03-14', '2026-13-01', '2026-00-10', '2026-01-00'])(
    '%s is no day',
    (text) => {
      expect(readDay(Buffer.from(text), 0)).toBe(-1);
    },
  );
});
