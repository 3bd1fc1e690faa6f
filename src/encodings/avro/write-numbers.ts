const ZERO = 0x30;
const MINUS = 0x2d;
const DOT = 0x2e;
/** Longer digits than any of a long, with its sign. */
export const LONGEST_LONG = 24;

/** Writes the digits of an integer from 0 to 2^53; returns the position behind them. */
export function writeInteger(target: Uint8Array, start: number, value: number): number {
  if (value < 1e7) return writeSmall(target, start, value);
  const tenMillions = Math.floor(value / 1e7);
  const ones = value - tenMillions * 1e7;
  if (tenMillions < 1e9) return writeSevenDigits(target, writeSmall(target, start, tenMillions), ones);
  const rest = Math.floor(tenMillions / 1e7);
  const at = writeSevenDigits(target, writeSmall(target, start, rest), tenMillions - rest * 1e7);
  return writeSevenDigits(target, at, ones);
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

/** Writes a finite double as JSON writes it. Read here, not handed over: a call would put it on the heap. */
export function writeDouble(target: Uint8Array, start: number, source: DataView, at: number, size: number): number {
  const value = size === 8 ? source.getFloat64(at, true) : source.getFloat32(at, true);
  const magnitude = Math.abs(value);
  const millionths = Math.round(magnitude * 1e6);
  if (millionths < 1e15 && millionths / 1e6 === magnitude) {
    // Up to 15 digits there is one decimal text a double, so that the one with six decimals is the shortest.
    const whole = Math.floor(magnitude);
    const first = value < 0 ? start + 1 : start;
    if (value < 0) target[start] = MINUS;
    return writeDecimal(target, first, whole, millionths - whole * 1e6);
  }
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

/** `fraction`: millionths. */
function writeDecimal(target: Uint8Array, start: number, whole: number, fraction: number): number {
  let at = writeSmall(target, start, whole);
  if (fraction === 0) return at;
  target[at++] = DOT;
  writeDigits(target, at, at + 6, fraction | 0);
  at += 6;
  while (target[at - 1] === ZERO) at--;
  return at;
}

/** Up to nine digits. */
function writeSmall(target: Uint8Array, start: number, value: number): number {
  const end = start + countDigits(value);
  writeDigits(target, start, end, value | 0);
  return end;
}

function writeSevenDigits(target: Uint8Array, start: number, value: number): number {
  writeDigits(target, start, start + 7, value | 0);
  return start + 7;
}

function writeDigits(target: Uint8Array, start: number, end: number, value: number): void {
  let left = value;
  for (let at = end - 1; at >= start; at--) {
    const tenth = (left / 10) | 0;
    target[at] = ZERO + left - tenth * 10;
    left = tenth;
  }
}

function countDigits(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1_000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  return value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : 9;
}
