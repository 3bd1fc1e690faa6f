import { daysOfDayNumber, MICROS_PER_SECOND, readDay, SECONDS_PER_DAY } from './calendar.ts';
import { MAX_EXACT_INTEGER } from './decimal.ts';
import { digitOf, skipDigits } from './digits.ts';
import { ZoneClock } from './zone-clock.ts';

/** The earliest event time taken: 2000-01-01T00:00:00Z. */
export const EARLIEST_EVENT_MICROS = 946_684_800_000_000;
/** How far past the moment of receipt an event time may lie: clocks of senders run fast. */
export const FUTURE_ALLOWANCE_MICROS = 600 * MICROS_PER_SECOND;

/** Digits of the whole part from which an epoch number is refused, microseconds, milliseconds; below them it is seconds. */
const REFUSED_DIGITS = 18;
const MICROS_DIGITS = 15;
const MILLIS_DIGITS = 12;

const DASH = 0x2d;
const COLON = 0x3a;
const POINT = 0x2e;
/** `2026-03-14T09:26:53` */
const DATE_TIME_LENGTH = 19;

/**
 * Reads event times from bytes, as microseconds since 1970: RFC 3339 (`T`, `t` or a space between; a fraction of any length, cut, not
 * rounded, to microseconds), the same without a zone (then the feed's zone), or epoch seconds, milliseconds or microseconds told
 * apart by magnitude. Leap seconds and 24:00 are refused: no engine downstream has them.
 */
export class TimestampReader {
  readonly #clock: ZoneClock;
  /** Records come day by day: the last date seen, and its days. */
  #lastDayNumber = 19_700_101;
  #lastDays = 0;

  constructor(zone: string) {
    this.#clock = new ZoneClock(zone);
  }

  /**
   * True where it could be read: `into[at]` is the time, which may be out of any range (a negative epoch number gives -1). Times past
   * 2^53 microseconds either way (the years 1684 and 2255) are given as just that: doubles do not tell them apart, and no range has them.
   */
  read(bytes: Uint8Array, start: number, end: number, into: Float64Array, at: number): boolean {
    if (end - start >= DATE_TIME_LENGTH && bytes[start + 4] === DASH) return this.#readDateTime(bytes, start, end, into, at);
    return readEpoch(bytes, start, end, into, at);
  }

  #readDateTime(bytes: Uint8Array, start: number, end: number, into: Float64Array, at: number): boolean {
    const dayNumber = readDay(bytes, start);
    if (dayNumber < 0) return false;
    const separator = bytes[start + 10] as number;
    if ((separator | 0x20) !== 0x74 && separator !== 0x20) return false;
    const hour = readTwoDigits(bytes, start + 11);
    const minute = readTwoDigits(bytes, start + 14);
    const second = readTwoDigits(bytes, start + 17);
    if (hour > 23 || minute > 59 || second > 59 || bytes[start + 13] !== COLON || bytes[start + 16] !== COLON) return false;

    let position = start + DATE_TIME_LENGTH;
    let micros = 0;
    if (position < end && bytes[position] === POINT) {
      position++;
      const fractionStart = position;
      let unit = 100_000;
      for (; position < end; position++) {
        const digit = digitOf(bytes[position] as number);
        if (digit > 9) break;
        micros += digit * unit;
        unit = (unit / 10) | 0;
      }
      if (position === fractionStart) return false;
    }

    if (dayNumber !== this.#lastDayNumber) {
      this.#lastDayNumber = dayNumber;
      this.#lastDays = daysOfDayNumber(dayNumber);
    }
    let seconds = this.#lastDays * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second;
    if (position === end) {
      seconds -= this.#clock.offsetOfWallTime(seconds);
    } else if (((bytes[position] as number) | 0x20) === 0x7a) {
      if (position + 1 !== end) return false;
    } else {
      const offset = readOffset(bytes, position, end);
      if (offset === INVALID_OFFSET) return false;
      seconds -= offset;
    }
    into[at] = withinExact(seconds * MICROS_PER_SECOND + micros);
    return true;
  }
}

/** Reads a calendar date `YYYY-MM-DD`, and nothing more, as days since 1970 into `into[at]`. */
export function readDate(bytes: Uint8Array, start: number, end: number, into: Float64Array, at: number): boolean {
  if (end - start !== 10) return false;
  const dayNumber = readDay(bytes, start);
  if (dayNumber < 0) return false;
  into[at] = daysOfDayNumber(dayNumber);
  return true;
}

/** The day, counted from 1970-01-01, on which a moment falls in a zone: `report_date`. Throws a RangeError where the zone is not known. */
export function createReportDate(zone: string): (micros: number) => number {
  const clock = new ZoneClock(zone);
  if (clock.isUtc) return (micros) => Math.floor(Math.floor(micros / 1e6) / SECONDS_PER_DAY);
  return (micros) => {
    const seconds = Math.floor(micros / 1e6);
    return Math.floor((seconds + clock.offsetAt(seconds)) / SECONDS_PER_DAY);
  };
}

function readEpoch(bytes: Uint8Array, start: number, end: number, into: Float64Array, at: number): boolean {
  const negative = start < end && bytes[start] === DASH;
  const wholeStart = negative ? start + 1 : start;
  let position = wholeStart;
  let whole = 0;
  // Counted without leading zeros, so that magnitudes are compared exactly where doubles no longer are.
  let magnitude = 0;
  for (; position < end; position++) {
    const digit = digitOf(bytes[position] as number);
    if (digit > 9) break;
    whole = whole * 10 + digit;
    if (whole !== 0) magnitude++;
  }
  if (position === wholeStart) return false;
  let fractionStart = position;
  if (position < end && bytes[position] === POINT) {
    fractionStart = position + 1;
    position = skipDigits(bytes, fractionStart, end);
    if (position === fractionStart) return false;
  }
  if (position !== end) return false;
  if (negative) {
    into[at] = -1;
    return true;
  }
  if (magnitude >= REFUSED_DIGITS) return false;
  if (magnitude >= MICROS_DIGITS) {
    if (fractionStart < end) return false;
    into[at] = withinExact(whole);
  } else if (magnitude >= MILLIS_DIGITS) {
    into[at] = withinExact(whole * 1_000 + cutFraction(bytes, fractionStart, end, 100));
  } else {
    into[at] = withinExact(whole * MICROS_PER_SECOND + cutFraction(bytes, fractionStart, end, 100_000));
  }
  return true;
}

function withinExact(micros: number): number {
  return Math.min(Math.max(micros, -MAX_EXACT_INTEGER), MAX_EXACT_INTEGER);
}

/** The first digits of a fraction, the first one worth `unit`; the rest is cut. */
function cutFraction(bytes: Uint8Array, start: number, end: number, unit: number): number {
  let worth = unit;
  let value = 0;
  for (let position = start; position < end && worth > 0; position++) {
    value += digitOf(bytes[position] as number) * worth;
    worth = (worth / 10) | 0;
  }
  return value;
}

const INVALID_OFFSET = 86_400;

/** `+hh:mm` or `-hh:mm` that ends at `end`, in seconds. */
function readOffset(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 6 || bytes[start + 3] !== COLON) return INVALID_OFFSET;
  const sign = bytes[start];
  if (sign !== 0x2b && sign !== DASH) return INVALID_OFFSET;
  const hours = readTwoDigits(bytes, start + 1);
  const minutes = readTwoDigits(bytes, start + 4);
  if (hours > 23 || minutes > 59) return INVALID_OFFSET;
  const seconds = hours * 3_600 + minutes * 60;
  return sign === DASH ? -seconds : seconds;
}

/** Two digits as a number, or more than any limit where they are not digits. */
function readTwoDigits(bytes: Uint8Array, start: number): number {
  const tens = digitOf(bytes[start] as number);
  const ones = digitOf(bytes[start + 1] as number);
  return tens <= 9 && ones <= 9 ? tens * 10 + ones : 255;
}
