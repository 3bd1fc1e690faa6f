const ZERO = 0x30;
const MINUS = 0x2d;
const DOT = 0x2e;
/** Longer digits than any of a long, with its sign. */
export const LONGEST_LONG = 24;

/** Writes the digits of an integer from 0 to 2^53; returns the position behind them. */
export function writeInteger(target: Uint8Array, start: number, value: number): number {
  if (value < 1e7) return writeSmall(target, start, value);
  const high = Math.floor(value / 1e7);
  const at = writeInteger(target, start, high);
  return writeSevenDigits(target, at, value - high * 1e7);
}

/**
 * Writes the digits of high·2^56 + middle·2^28 + low without BigInt: 2^56 = 720·10^14 + 5759403·10^7 + 7927936 and
 * 2^28 = 26·10^7 + 8435456, so that every product of the sums below stays under 2^53.
 */
export function writeMagnitude(target: Uint8Array, start: number, high: number, middle: number, low: number): number {
  if (high === 0 && middle < 0x1000000) return writeInteger(target, start, middle * 0x10000000 + low);
  let ones = low + middle * 8435456 + high * 7927936;
  let tenMillions = middle * 26 + high * 5759403;
  const carry = Math.floor(ones / 1e7);
  ones -= carry * 1e7;
  tenMillions += carry;
  const rest = high * 720 + Math.floor(tenMillions / 1e7);
  tenMillions %= 1e7;
  let at = start;
  if (rest > 0) {
    at = writeSmall(target, at, rest);
    at = writeSevenDigits(target, at, tenMillions);
  } else {
    at = writeSmall(target, at, tenMillions);
  }
  return writeSevenDigits(target, at, ones);
}

/** Writes a double as JSON writes it; undefined for what is no number. */
export function writeDouble(target: Uint8Array, start: number, value: number): number {
  const magnitude = Math.abs(value);
  const millionths = Math.round(magnitude * 1e6);
  // Up to 15 digits there is one decimal text a double, so that the one with six decimals is the shortest.
  if (millionths < 1e15 && millionths / 1e6 === magnitude) return writeMillionths(target, start, millionths, value < 0);
  const text = String(value);
  for (let i = 0; i < text.length; i++) target[start + i] = text.charCodeAt(i);
  return start + text.length;
}

/** Writes days since 1970 as a date; years outside 0–9999 have none, and stay a number of days. */
export function writeDate(target: Uint8Array, start: number, days: number): number {
  const date = new Date(days * 86_400_000);
  const year = date.getUTCFullYear();
  const text = year >= 0 && year <= 9999 ? date.toISOString().slice(0, 10) : String(days);
  for (let i = 0; i < text.length; i++) target[start + i] = text.charCodeAt(i);
  return start + text.length;
}

function writeMillionths(target: Uint8Array, start: number, millionths: number, isNegative: boolean): number {
  const whole = Math.floor(millionths / 1e6);
  let fraction = millionths - whole * 1e6;
  let at = start;
  if (isNegative) target[at++] = MINUS;
  at = writeInteger(target, at, whole);
  if (fraction === 0) return at;
  target[at++] = DOT;
  for (let unit = 100_000; fraction > 0; unit /= 10) {
    const digit = (fraction / unit) | 0;
    target[at++] = ZERO + digit;
    fraction -= digit * unit;
  }
  return at;
}

function writeSmall(target: Uint8Array, start: number, value: number): number {
  let digits = 1;
  for (let bound = 10; bound <= value; bound *= 10) digits++;
  let left = value | 0;
  for (let at = start + digits - 1; at >= start; at--) {
    const tenth = (left / 10) | 0;
    target[at] = ZERO + left - tenth * 10;
    left = tenth;
  }
  return start + digits;
}

function writeSevenDigits(target: Uint8Array, start: number, value: number): number {
  let left = value | 0;
  for (let at = start + 6; at >= start; at--) {
    const tenth = (left / 10) | 0;
    target[at] = ZERO + left - tenth * 10;
    left = tenth;
  }
  return start + 7;
}
