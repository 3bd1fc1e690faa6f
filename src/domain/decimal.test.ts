import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecimalReading, MAX_EXACT_INTEGER, readDecimal } from './decimal.ts';

const { exact, rounded, unreadable, tooLarge } = DecimalReading;

/** Read inside other bytes, so that reading past either end shows. */
function read(text: string, scale: number): [DecimalReading, number] {
  const bytes = Buffer.from(`7${text}7`);
  const into = new Float64Array([-7, -7, -7]);
  const reading = readDecimal(bytes, 1, bytes.length - 1, scale, into, 1);
  expect([into[0], into[2]], 'neighbours are left alone').toEqual([-7, -7]);
  return [reading, into[1] as number];
}

describe('readDecimal', () => {
  test.each<[string, number, DecimalReading, number]>([
    ['0', 6, exact, 0],
    ['-0', 6, exact, 0],
    ['-0.000', 6, exact, 0],
    ['1', 6, exact, 1_000_000],
    ['-1.5', 6, exact, -1_500_000],
    ['0.000001', 6, exact, 1],
    ['12.345678', 6, exact, 12_345_678],
    ['0012.50', 6, exact, 12_500_000],
    ['0.00000000', 6, exact, 0],
    ['1.50000000000000000000000000', 6, exact, 1_500_000],
    ['0.0000004999999', 6, rounded, 0],
    ['0.0000005', 6, rounded, 1],
    ['-0.0000005', 6, rounded, -1],
    ['2.5', 0, rounded, 3],
    ['-2.5', 0, rounded, -3],
    ['2.4999999999999999999999', 0, rounded, 2],
    ['1e3', 6, exact, 1_000_000_000],
    ['1.5E+3', 0, exact, 1_500],
    ['1.5e-3', 6, exact, 1_500],
    ['1234e-2', 0, rounded, 12],
    ['1250e-2', 0, rounded, 13],
    ['5e-7', 6, rounded, 1],
    ['5e-8', 6, rounded, 0],
    ['1e-400', 6, rounded, 0],
    ['0e99999999999999999999', 6, exact, 0],
    ['0.000e-5', 6, exact, 0],
    ['9007199254740992', 0, exact, MAX_EXACT_INTEGER],
    ['-9007199254740992', 0, exact, -MAX_EXACT_INTEGER],
    ['9007199254740991.5', 0, rounded, MAX_EXACT_INTEGER],
    ['9007199254740991.4', 0, rounded, MAX_EXACT_INTEGER - 1],
    ['9007199254.740992', 6, exact, MAX_EXACT_INTEGER],
    ['0009007199254740992.000', 0, exact, MAX_EXACT_INTEGER],
  ])('%s at scale %i', (text, scale, reading, value) => {
    expect(read(text, scale)).toEqual([reading, value]);
  });

  test.each<[string, number]>([
    ['9007199254740993', 0],
    ['-9007199254740993', 0],
    ['9007199254740992.5', 0],
    ['9007199254.740993', 6],
    ['9007199255', 6],
    ['10000000000000000', 0],
    ['999999999999999', 6],
    ['1e16', 0],
    ['1e400', 6],
    ['1e99999999999999999999', 0],
    [`1${'0'.repeat(400)}`, 0],
  ])('%s at scale %i is too large', (text, scale) => {
    expect(read(text, scale)).toEqual([tooLarge, -7]);
  });

  test.each([
    '',
    '-',
    '+1',
    '.5',
    '5.',
    '-.5',
    '1.',
    '1.e3',
    'e3',
    '1e',
    '1e+',
    '1e-',
    '1e1.5',
    '1,000',
    '1 000',
    ' 1',
    '1 ',
    '1_000',
    '0x10',
    '1.2.3',
    '--1',
    '1-',
    'NaN',
    'Infinity',
    '１',
    '12a',
    '1e5x',
    '1.5-',
    '123456789012345678901234567890x',
    '1.1234567890123456789x',
  ])('%j is no decimal', (text) => {
    expect(read(text, 6)).toEqual([unreadable, -7]);
  });

  test('agrees with a slow reading in BigInt', () => {
    const digits = (most: number) => fc.array(fc.constantFrom(...'0123456789', '0', '9', '5'), { minLength: 1, maxLength: most }).map((all) => all.join(''));
    const decimal = fc
      .tuple(fc.constantFrom('', '-'), digits(22), fc.option(digits(22)), fc.option(fc.integer({ min: -45, max: 45 })))
      .map(([sign, whole, fraction, exponent]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`);
    fc.assert(
      fc.property(decimal, fc.constantFrom(0, 6, 9), (text, scale) => {
        expect(read(text, scale)).toEqual(readSlowly(text, scale));
      }),
      { numRuns: 5_000 },
    );
  });
});

/** Sign × digits × 10^exponent, as a fraction of BigInts, rounded half away from zero. */
function readSlowly(text: string, scale: number): [DecimalReading, number] {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e(-?\d+))?$/.exec(text) as unknown as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  const power = BigInt(exponent) + BigInt(scale) - BigInt(fraction.length);
  const numerator = BigInt(whole + fraction) * (power > 0n ? 10n ** power : 1n);
  const denominator = power < 0n ? 10n ** -power : 1n;
  const value = (2n * numerator + denominator) / (2n * denominator);
  if (value > 2n ** 53n) return [tooLarge, -7];
  return [numerator % denominator === 0n ? exact : rounded, value === 0n ? 0 : Number(value) * (sign === '-' ? -1 : 1)];
}
