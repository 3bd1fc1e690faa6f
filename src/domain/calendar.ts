import { digitOf } from './digits.ts';

/** The proleptic Gregorian calendar in whole days since 1970-01-01, without Date objects. */

export const SECONDS_PER_DAY = 86_400;
export const MICROS_PER_SECOND = 1_000_000;
export const MICROS_PER_DAY = SECONDS_PER_DAY * MICROS_PER_SECOND;

const DAYS_BEFORE_MONTH = Uint16Array.of(0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334);
const DAYS_IN_MONTH = Uint8Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Whether year 0-9999, month and day name a day. */
export function isCalendarDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= (DAYS_IN_MONTH[month] as number) || (month === 2 && day === 29 && isLeapYear(year));
}

/** Days since 1970-01-01 of a day that `isCalendarDay`. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  // Years counted from 0000-01-01; year 0 is a leap year.
  const before = year - 1;
  const leapDays = year === 0 ? 0 : Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) + 1;
  const inYear = (DAYS_BEFORE_MONTH[month] as number) + day - 1 + (month > 2 && isLeapYear(year) ? 1 : 0);
  return year * 365 + leapDays + inYear - 719_528;
}

/** The ISO form of a day in years 0-9999: `2026-03-14`. */
export function formatDay(days: number): string {
  return new Date(days * SECONDS_PER_DAY * 1000).toISOString().slice(0, 10);
}

/**
 * Reads `YYYY-MM-DD` at `bytes[start]` (ten bytes that must be there) as year × 10000 + month × 100 + day, or -1 where it has another form
 * or names no day.
 */
export function readDay(bytes: Uint8Array, start: number): number {
  const y1 = digitOf(bytes[start] as number);
  const y2 = digitOf(bytes[start + 1] as number);
  const y3 = digitOf(bytes[start + 2] as number);
  const y4 = digitOf(bytes[start + 3] as number);
  const m1 = digitOf(bytes[start + 5] as number);
  const m2 = digitOf(bytes[start + 6] as number);
  const d1 = digitOf(bytes[start + 8] as number);
  const d2 = digitOf(bytes[start + 9] as number);
  if (y1 > 9 || y2 > 9 || y3 > 9 || y4 > 9 || m1 > 9 || m2 > 9 || d1 > 9 || d2 > 9) return -1;
  if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) return -1;
  const year = y1 * 1000 + y2 * 100 + y3 * 10 + y4;
  const month = m1 * 10 + m2;
  const day = d1 * 10 + d2;
  return isCalendarDay(year, month, day) ? year * 10_000 + month * 100 + day : -1;
}

/** Days since 1970 of what `readDay` gave. */
export function daysOfDayNumber(dayNumber: number): number {
  return daysSinceEpoch(Math.floor(dayNumber / 10_000), Math.floor(dayNumber / 100) % 100, dayNumber % 100);
}
