import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AmountReading, convertCurrency, MAX_MONEY_MICROS, readInteger, readMoney, readRate } from './money.ts';

type Reader = typeof readMoney;

function read(reader: Reader, text: string): number | string {
  const bytes = Buffer.from(text);
  const into = new Float64Array(1);
  const reading = reader(bytes, 0, bytes.length, into, 0);
  if (reading === AmountReading.read) return into[0] as number;
  return Object.entries(AmountReading).find(([, value]) => value === reading)?.[0] as string;
}

describe('readMoney', () => {
  test.each<[string, number | string]>([
    ['0', 0],
    ['-0', 0],
    ['-0.00', 0],
    ['2.50', 2_500_000],
    ['1.5e3', 1_500_000_000],
    ['0.0000005', 1],
    ['0.00000049', 0],
    ['8790000', MAX_MONEY_MICROS],
    ['8790000.0000004', MAX_MONEY_MICROS],
    ['8790000.0000005', 'tooLarge'],
    ['8790000.000001', 'tooLarge'],
    ['99999999999999999999', 'tooLarge'],
    ['-0.000001', 'negative'],
    ['-0.0000001', 'negative'],
    ['-1e-300', 'negative'],
    ['-99999999999999999999', 'negative'],
    ['-1', 'negative'],
    ['$1', 'unreadable'],
    ['1,50', 'unreadable'],
    ['-abc', 'unreadable'],
  ])('%s', (text, expected) => {
    expect(read(readMoney, text)).toBe(expected);
  });
});

describe('readRate', () => {
  test.each<[string, number | string]>([
    ['1.084512345', 1_084_512_345],
    ['0.000000001', 1],
    ['1.0845000000000', 1_084_500_000],
    ['0', 0],
    ['1.0845123456', 'tooPrecise'],
    ['0.0000000001', 'tooPrecise'],
    ['9007199.254740991', 9_007_199_254_740_991],
    ['9007199.254740992', 'tooLarge'],
    ['9007199.254740993', 'tooLarge'],
    ['-1', 'negative'],
    ['one', 'unreadable'],
  ])('%s', (text, expected) => {
    expect(read(readRate, text)).toBe(expected);
  });
});

describe('readInteger', () => {
  test.each<[string, number | string]>([
    ['42', 42],
    ['-42', -42],
    ['1.0', 1],
    ['1e3', 1_000],
    ['1.5', 'tooPrecise'],
    ['0.5', 'tooPrecise'],
    ['9007199254740992', 2 ** 53],
    ['-9007199254740992', -(2 ** 53)],
    ['9007199254740993', 'tooLarge'],
    ['-9007199254740993', 'tooLarge'],
    ['', 'unreadable'],
  ])('%s', (text, expected) => {
    expect(read(readInteger, text)).toBe(expected);
  });
});

describe('convertCurrency', () => {
  test.each<[number, number, number | null]>([
    [1_000_000, 1_000_000_000, 1_000_000],
    [1, 500_000_000, 1],
    [1, 499_999_999, 0],
    [3, 500_000_000, 2],
    [-1, 500_000_000, -1],
    [-1, 499_999_999, 0],
    [0, 1_500_000_000, 0],
    [2_500_000, 1_084_512_345, 2_711_281],
    [MAX_MONEY_MICROS, 1_000_000_000, MAX_MONEY_MICROS],
    [MAX_MONEY_MICROS, 1_000_000_001, null],
    [MAX_MONEY_MICROS, 9_007_199_254_740_992, null],
    // Past 2^53: as a double this product would be one more, and just reach the half.
    [11, 818_836_409_090_909, 9_007_200],
  ])('%i micros at %i', (micros, rate, expected) => {
    expect(convertCurrency(micros, rate)).toBe(expected);
  });

  test('agrees with BigInt, whether or not the product fits a double', () => {
    const amount = fc.oneof(fc.integer({ min: 0, max: MAX_MONEY_MICROS }), fc.integer({ min: 0, max: 10_000_000 }));
    const rate = fc.oneof(fc.integer({ min: 1, max: 2 ** 53 - 1 }), fc.integer({ min: 1, max: 2_000_000_000 }), fc.constantFrom(500_000_000, 1_500_000_000));
    fc.assert(
      fc.property(amount, rate, fc.boolean(), (micros, rateE9, negative) => {
        const product = BigInt(micros) * BigInt(rateE9);
        const expected = product / 1_000_000_000n + (product % 1_000_000_000n >= 500_000_000n ? 1n : 0n);
        const converted = convertCurrency(negative && micros > 0 ? -micros : micros, rateE9);
        expect(converted).toBe(expected > BigInt(MAX_MONEY_MICROS) ? null : Number(negative && expected > 0n ? -expected : expected));
      }),
      { numRuns: 5_000 },
    );
  });

  test('agrees with BigInt next to a half, where a product that is off by one shows', () => {
    const nextToHalf = fc.tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 8_000_000 }), fc.integer({ min: -1, max: 1 }));
    fc.assert(
      fc.property(nextToHalf, ([micros, whole, delta]) => {
        const rateE9 = Math.floor((whole * 1e9 + 5e8) / micros) + delta;
        const product = BigInt(micros) * BigInt(rateE9);
        expect(convertCurrency(micros, rateE9)).toBe(Number((product + 500_000_000n) / 1_000_000_000n));
      }),
      { numRuns: 5_000 },
    );
  });
});
