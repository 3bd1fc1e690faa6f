import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeDate, writeDouble, writeInteger, writeMagnitude } from './write-numbers.ts';

const target = new Uint8Array(64);
const written = (write: (target: Uint8Array, start: number) => number) => Buffer.from(target.subarray(3, write(target, 3))).toString();

describe('digits', () => {
  it('of integers are those of the number', () => {
    const edges = [0, 9, 10, 9_999_999, 10_000_000, 99_999_999_999_999, 100_000_000_000_000, Number.MAX_SAFE_INTEGER];
    for (const value of edges) expect(written((bytes, at) => writeInteger(bytes, at, value))).toBe(String(value));
    fc.assert(fc.property(fc.maxSafeNat(), (value) => written((bytes, at) => writeInteger(bytes, at, value)) === String(value)));
  });

  // The limbs' products must stay under 2^53: a bug there shows in the low digits of large numbers only.
  it('of 64 bits are those of the number', () => {
    const limbs = (value: bigint) =>
      written((bytes, at) => writeMagnitude(bytes, at, Number(value >> 56n), Number((value >> 28n) & 0xfffffffn), Number(value & 0xfffffffn)));
    for (let power = 0n; power <= 64n; power++) {
      for (const value of [2n ** power - 1n, 2n ** power, 2n ** power + 1n]) {
        if (value >= 0n && value < 2n ** 64n) expect(limbs(value)).toBe(String(value));
      }
    }
    for (let power = 1n; power < 10n ** 20n; power *= 10n) {
      if (power < 2n ** 64n) expect([limbs(power), limbs(power - 1n)]).toEqual([String(power), String(power - 1n)]);
    }
    fc.assert(fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => limbs(value) === String(value)));
  });

  it('of doubles are the shortest that give the double back', () => {
    const text = (value: number) => written((bytes, at) => writeDouble(bytes, at, value));
    const edges = [
      0,
      1e-6,
      0.1,
      1.000001,
      1e15,
      999999999.999999,
      9007199254740992,
      1e21,
      5e-324,
      1.7976931348623157e308,
      1 / 3,
      2.847,
      0.000_000_1,
      123456789.1234565,
    ];
    for (const value of edges) expect([text(value), text(-value)]).toEqual([String(value), value === 0 ? '0' : String(-value)]);
    const amounts = fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((units) => units / 10 ** (Math.abs(units) % 8));
    fc.assert(fc.property(fc.oneof(fc.double({ noNaN: true }), amounts, fc.float({ noNaN: true })), (value) => text(value) === String(value)));
  });

  it('of dates are year, month and day where there are four digits of year', () => {
    const text = (days: number) => written((bytes, at) => writeDate(bytes, at, days));
    expect([0, -1, 20454, 11016, 2932896].map(text)).toEqual(['1970-01-01', '1969-12-31', '2026-01-01', '2000-02-29', '9999-12-31']);
    expect([2932897, -719529, 2 ** 31 - 1, -(2 ** 31), 9e15].map(text)).toEqual(['2932897', '-719529', '2147483647', '-2147483648', '9000000000000000']);
  });
});
