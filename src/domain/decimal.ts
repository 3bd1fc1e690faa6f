/**
 * Decimal text to a scaled integer, exactly, straight from bytes: `12.345678` at scale 6 is 12345678.
 *
 * Results stay within ±2^53, where every integer has its own double, so no BigInt and no string is made on the way.
 * Grammar: `-?digits(.digits)?([eE][+-]?digits)?`, leading zeros allowed. No plus sign, no bare point, no thousands separators:
 * what a spreadsheet means by `1,234` depends on its country, and a wrong guess is worse than a refusal.
 */

import { digitOf, skipDigits } from './digits.ts';

/** How reading a decimal went. */
export const DecimalReading = {
  /** `into[at]` holds the value, nothing was cut off. */
  exact: 0,
  /** `into[at]` holds the value rounded half away from zero at the scale. */
  rounded: 1,
  /** Not a decimal number. */
  unreadable: 2,
  /** Beyond ±2^53 at this scale. */
  tooLarge: 3,
} as const;
export type DecimalReading = (typeof DecimalReading)[keyof typeof DecimalReading];

/** The largest magnitude a scaled integer may have: up to here doubles count one by one. */
export const MAX_EXACT_INTEGER = 2 ** 53;

const POWERS_OF_TEN = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
/** Decimal digits that always fit below 2^53. */
const SAFE_DIGITS = 15;
/** An exponent's value past which any number is either zero or too large (records are far shorter than this many digits). */
const EXPONENT_CAP = 1e9;

const MINUS = 0x2d;
const POINT = 0x2e;

/** Reads `bytes[start, end)` as a decimal times 10^scale into `into[at]`. `into` is untouched unless it was read. */
export function readDecimal(bytes: Uint8Array, start: number, end: number, scale: number, into: Float64Array, at: number): DecimalReading {
  let position = start;
  let negative = false;
  if (position < end && bytes[position] === MINUS) {
    negative = true;
    position++;
  }
  let value = 0;
  const wholeStart = position;
  for (; position < end; position++) {
    const digit = digitOf(bytes[position] as number);
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  const wholeDigits = position - wholeStart;
  if (wholeDigits === 0) return DecimalReading.unreadable;
  let fractionDigits = 0;
  if (position < end && bytes[position] === POINT) {
    position++;
    const fractionStart = position;
    for (; position < end; position++) {
      const digit = digitOf(bytes[position] as number);
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    fractionDigits = position - fractionStart;
    if (fractionDigits === 0) return DecimalReading.unreadable;
  }
  if (position !== end || wholeDigits + fractionDigits > SAFE_DIGITS || fractionDigits > scale) {
    return readLongDecimal(bytes, wholeStart, end, negative, scale, into, at);
  }
  // At most 15 digits times a power of ten: exact while it is in range, and the compare is exact either way.
  value *= POWERS_OF_TEN[scale - fractionDigits] as number;
  if (value > MAX_EXACT_INTEGER) return DecimalReading.tooLarge;
  into[at] = negative && value !== 0 ? -value : value;
  return DecimalReading.exact;
}

/** Any number of digits, an exponent, or more digits than the scale keeps: two passes over the digits. */
function readLongDecimal(bytes: Uint8Array, start: number, end: number, negative: boolean, scale: number, into: Float64Array, at: number): DecimalReading {
  const wholeEnd = skipDigits(bytes, start, end);
  let digitsEnd = wholeEnd;
  if (digitsEnd < end && bytes[digitsEnd] === POINT) digitsEnd = skipDigits(bytes, digitsEnd + 1, end);
  const exponent = digitsEnd === end ? 0 : readExponent(bytes, digitsEnd, end);
  if (Number.isNaN(exponent)) return DecimalReading.unreadable;

  // Digits before this count belong to the scaled integer; the one at it decides the rounding.
  const keptDigits = wholeEnd - start + exponent + scale;
  let index = 0;
  let value = 0;
  let roundUp = false;
  let inexact = false;
  for (let position = start; position < digitsEnd; position++) {
    if (bytes[position] === POINT) continue;
    const digit = digitOf(bytes[position] as number);
    if (index < keptDigits) {
      if (exceeds(value, digit)) return DecimalReading.tooLarge;
      value = value * 10 + digit;
    } else if (digit !== 0) {
      inexact = true;
      if (index === keptDigits && digit >= 5) roundUp = true;
    }
    index++;
  }
  for (; index < keptDigits && value !== 0; index++) {
    if (exceeds(value, 0)) return DecimalReading.tooLarge;
    value *= 10;
  }
  if (roundUp) {
    if (value >= MAX_EXACT_INTEGER) return DecimalReading.tooLarge;
    value += 1;
  }
  into[at] = negative && value !== 0 ? -value : value;
  return inexact ? DecimalReading.rounded : DecimalReading.exact;
}

/** Whether value × 10 + digit would pass 2^53, asked before doubles could round it back. */
function exceeds(value: number, digit: number): boolean {
  return value > 900_719_925_474_099 || (value === 900_719_925_474_099 && digit > 2);
}

/** The exponent that starts at `start` and must end at `end`, NaN where there is none. */
function readExponent(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  if (((bytes[position] as number) | 0x20) !== 0x65) return Number.NaN;
  position++;
  const sign = position < end ? bytes[position] : 0;
  if (sign === MINUS || sign === 0x2b) position++;
  if (position === end) return Number.NaN;
  let exponent = 0;
  for (; position < end; position++) {
    const digit = digitOf(bytes[position] as number);
    if (digit > 9) return Number.NaN;
    if (exponent < EXPONENT_CAP) exponent = exponent * 10 + digit;
  }
  return sign === MINUS ? -exponent : exponent;
}
