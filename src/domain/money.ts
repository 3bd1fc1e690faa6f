import { DecimalReading, MAX_EXACT_INTEGER, readDecimal } from './decimal.ts';

const MICRO_DIGITS = 6;
const RATE_DIGITS = 9;
/** The largest amount taken: beyond it, sums over many records would leave what 64 bits hold. */
export const MAX_MONEY_MICROS = 8_790_000_000_000;

/** How reading an amount or a rate went; anything but `read` is the reason for refusing it. */
export const AmountReading = { read: 0, unreadable: 1, negative: 2, tooLarge: 3, tooPrecise: 4 } as const;
export type AmountReading = (typeof AmountReading)[keyof typeof AmountReading];

/** Reads currency units as micros into `into[at]`: exact, half away from zero past the sixth digit. */
export function readMoney(bytes: Uint8Array, start: number, end: number, into: Float64Array, at: number): AmountReading {
  const reading = readDecimal(bytes, start, end, MICRO_DIGITS, into, at);
  if (reading === DecimalReading.unreadable) return AmountReading.unreadable;
  const negative = bytes[start] === 0x2d;
  if (reading === DecimalReading.tooLarge) return negative ? AmountReading.negative : AmountReading.tooLarge;
  // -0.00 is nothing, but -0.0000001 is less than nothing although it rounds to it.
  if (negative && !(reading === DecimalReading.exact && into[at] === 0)) return AmountReading.negative;
  return (into[at] as number) > MAX_MONEY_MICROS ? AmountReading.tooLarge : AmountReading.read;
}

/** Reads a rate in units of 10⁻⁹ into `into[at]`. More than nine digits after the point are refused, not rounded: a rate is exact or wrong. */
export function readRate(bytes: Uint8Array, start: number, end: number, into: Float64Array, at: number): AmountReading {
  const reading = readDecimal(bytes, start, end, RATE_DIGITS, into, at);
  if (reading === DecimalReading.unreadable) return AmountReading.unreadable;
  const negative = bytes[start] === 0x2d;
  if (negative && !(reading === DecimalReading.exact && into[at] === 0)) return AmountReading.negative;
  if (reading === DecimalReading.tooLarge || (into[at] as number) > Number.MAX_SAFE_INTEGER) return AmountReading.tooLarge;
  return reading === DecimalReading.rounded ? AmountReading.tooPrecise : AmountReading.read;
}

/** Reads a whole number into `into[at]`; `1.0` and `1e3` are whole, `1.5` is `tooPrecise`. Never `negative`. */
export function readInteger(bytes: Uint8Array, start: number, end: number, into: Float64Array, at: number): AmountReading {
  const reading = readDecimal(bytes, start, end, 0, into, at);
  if (reading === DecimalReading.unreadable) return AmountReading.unreadable;
  if (reading === DecimalReading.tooLarge) return AmountReading.tooLarge;
  return reading === DecimalReading.rounded ? AmountReading.tooPrecise : AmountReading.read;
}

/**
 * `micros × rateE9 ÷ 10⁹`, half away from zero. Null where the result is more than an amount may be (`MAX_MONEY_MICROS`, either sign).
 * Both arguments are integers within ±2^53.
 */
export function convertCurrency(micros: number, rateE9: number): number | null {
  const product = micros * rateE9;
  // Within ±2^53 the product is exact, and so are the remainder and the division of what is left.
  if (product >= -MAX_EXACT_INTEGER && product <= MAX_EXACT_INTEGER) {
    const rest = product % 1e9;
    const whole = (product - rest) / 1e9;
    const rounded = rest >= 5e8 ? whole + 1 : rest <= -5e8 ? whole - 1 : whole;
    return rounded === 0 ? 0 : rounded;
  }
  const exact = BigInt(micros) * BigInt(rateE9);
  const half = exact < 0n ? -500_000_000n : 500_000_000n;
  const converted = Number((exact + half) / 1_000_000_000n);
  return Math.abs(converted) > MAX_MONEY_MICROS ? null : converted;
}
