import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDate, TimestampReader } from './timestamp.ts';

/** Microseconds, or null where the text could not be read. Read inside other bytes, so that reading past either end shows. */
function read(text: string, zone = 'UTC', reader = new TimestampReader(zone)): number | null {
  const bytes = Buffer.from(`9${text}9`);
  const into = new Float64Array([-7, -7, -7]);
  const readable = reader.read(bytes, 1, bytes.length - 1, into, 1);
  expect([into[0], into[2]], 'neighbours are left alone').toEqual([-7, -7]);
  return readable ? (into[1] as number) : null;
}

function micros(text: string): number {
  return Date.parse(text) * 1_000;
}

const NOON = micros('2026-03-14T12:00:00Z');

describe('RFC 3339', () => {
  test.each<[string, number]>([
    ['2026-03-14T12:00:00Z', NOON],
    ['2026-03-14t12:00:00z', NOON],
    ['2026-03-14 12:00:00Z', NOON],
    ['2026-03-14T13:00:00+01:00', NOON],
    ['2026-03-14T06:30:00-05:30', NOON],
    ['2026-03-14T12:00:00-00:00', NOON],
    ['2026-03-15T11:59:00+23:59', NOON],
    ['2026-03-14T12:00:00.5Z', NOON + 500_000],
    ['2026-03-14T12:00:00.000001Z', NOON + 1],
    ['2026-03-14T12:00:00.1234567Z', NOON + 123_456],
    ['2026-03-14T12:00:00.999999999999999999999Z', NOON + 999_999],
    ['2026-03-14T12:00:00.25+00:00', NOON + 250_000],
    ['2026-03-14T12:00:00', NOON],
    ['2026-03-14 12:00:00.75', NOON + 750_000],
    ['2024-02-29T23:59:59Z', micros('2024-02-29T23:59:59Z')],
    ['1969-12-31T23:59:59.999999Z', -1],
    ['0000-01-01T00:00:00Z', -(2 ** 53)],
    ['9999-12-31T23:59:59Z', 2 ** 53],
    ['2255-06-05T23:47:34.740991Z', 2 ** 53 - 1],
  ])('%s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test.each([
    '2026-03-14',
    '2026-03-14T12:00',
    '2026-03-14T12:00Z',
    '2026-03-14T12:00:0Z',
    '2026-03-14T12:00:60Z',
    '2026-12-31T23:59:60Z',
    '2026-03-14T24:00:00Z',
    '2026-03-14T12:60:00Z',
    '2026-02-29T12:00:00Z',
    '2026-04-31T12:00:00Z',
    '2026-00-14T12:00:00Z',
    '2026-13-14T12:00:00Z',
    '2026-03-14T12:00:00.Z',
    '2026-03-14T12:00:00,5Z',
    '2026-03-14T12:00:00.',
    '2026-03-14T12:00:00 Z',
    '2026-03-14T12:00:00ZZ',
    '2026-03-14T12:00:00Z+01:00',
    '2026-03-14T12:00:00+01',
    '2026-03-14T12:00:00+0100',
    '2026-03-14T12:00:00+24:00',
    '2026-03-14T12:00:00-24:00',
    '2026-03-14T12:00:00+99:00',
    '2026-03-14T12:00:00+01:60',
    '2026-03-14T12:00:00+1:00',
    '2026-03-14T12:00:00~01:00',
    '2026-03-14T12:00:00+01:00 ',
    '2026-03-14  12:00:00Z',
    '2026-03-14_12:00:00Z',
    '2026-03-14T12-00-00Z',
    '2026/03/14T12:00:00Z',
    '+2026-03-14T12:00:00Z',
    '-026-03-14T12:00:00Z',
    '26-03-14T12:00:00Z',
    '12026-03-14T12:00:00Z',
    '2026-03-14T12:00:00 UTC',
    'Sat, 14 Mar 2026 12:00:00 GMT',
    '14/Mar/2026:12:00:00 +0000',
    '２026-03-14T12:00:00Z',
  ])('%j cannot be read', (text) => {
    expect(read(text)).toBeNull();
  });

  test('without a zone, it is in the feed’s: gaps move on, overlaps are the earlier moment', () => {
    const inBerlin = (text: string) => read(text, 'Europe/Berlin');
    expect(inBerlin('2026-03-14T12:00:00')).toBe(micros('2026-03-14T11:00:00Z'));
    expect(inBerlin('2026-07-14 12:00:00.5')).toBe(micros('2026-07-14T10:00:00.500Z'));
    expect(inBerlin('2026-03-29T02:30:00')).toBe(micros('2026-03-29T03:30:00+02:00'));
    expect(inBerlin('2026-10-25T02:30:00')).toBe(micros('2026-10-25T02:30:00+02:00'));
    expect(inBerlin('2026-07-14T12:00:00Z'), 'a zone that is given wins').toBe(micros('2026-07-14T12:00:00Z'));
    expect(inBerlin('1784023200'), 'and numbers have none').toBe(1_784_023_200_000_000);
  });

  test('the day it remembers is never taken for another', () => {
    const reader = new TimestampReader('UTC');
    for (const day of ['1970-01-01', '2026-03-14', '2026-03-15', '2026-03-14', '2026-04-14', '2027-04-14', '2026-02-30', '2026-03-02', '1970-01-01']) {
      const expected = Date.parse(`${day}T01:02:03Z`) * 1_000;
      expect(read(`${day}T01:02:03Z`, 'UTC', reader), day).toBe(day === '2026-02-30' ? null : expected);
    }
  });

  test('agrees with Date on every time that doubles count in microseconds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -9_007_199_254_739, max: 9_007_199_254_739 }),
        fc.integer({ min: -1_439, max: 1_439 }),
        fc.integer({ min: 0, max: 999 }),
        (millis, offset, extra) => {
          const local = new Date(millis + offset * 60_000);
          if (local.getTime() < -62_167_219_200_000 || local.getTime() > 253_402_300_799_999) return;
          const clock = local.toISOString().slice(0, -1);
          const pad = (value: number) => String(value).padStart(2, '0');
          const zone = `${offset < 0 ? '-' : '+'}${pad(Math.trunc(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
          expect(read(`${clock}${String(extra).padStart(3, '0')}99${zone}`)).toBe(millis * 1_000 + extra);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('epoch numbers', () => {
  test.each<[string, number | null]>([
    // Up to eleven digits are seconds, from 10^11 on milliseconds, from 10^14 on microseconds, from 10^17 on refused.
    ['1773489600', NOON],
    ['1773489600000', NOON],
    ['1773489600000000', NOON],
    ['9007199254.740991', 2 ** 53 - 1],
    ['99999999999', 2 ** 53],
    ['100000000000', 100_000_000_000_000],
    ['99999999999999', 2 ** 53],
    ['100000000000000', 100_000_000_000_000],
    ['99999999999999999', 2 ** 53],
    ['100000000000000000', null],
    ['1000000000000000000', null],
    ['9'.repeat(500), null],
    ['0', 0],
    ['000001773489600', NOON],
    ['000000000000000000000001773489600', NOON],
    ['1773489600.5', NOON + 500_000],
    ['1773489600.1234569', NOON + 123_456],
    ['1773489600000.25', NOON + 250],
    ['1773489600000.9999', NOON + 999],
    ['1773489600000000.0', null],
    ['99999999999.9', 2 ** 53],
    ['-1', -1],
    ['-1773489600', -1],
    ['-0.5', -1],
    [`-${'9'.repeat(40)}`, -1],
    ['', null],
    ['-', null],
    ['-x', null],
    ['1773489600.', null],
    ['.5', null],
    ['1773489600.5.5', null],
    ['1.7734896e9', null],
    ['+1773489600', null],
    ['1773489600 ', null],
    ['1773489600Z', null],
    ['1,773,489,600', null],
    ['0x69B54DC0', null],
  ])('%s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test('agrees with a reading in BigInt by magnitude', () => {
    const whole = fc.integer({ min: 1, max: 17 }).chain((digits) => fc.bigInt({ min: 10n ** BigInt(digits - 1), max: 10n ** BigInt(digits) - 1n }));
    fc.assert(
      fc.property(whole, fc.option(fc.stringMatching(/^\d{1,9}$/)), (number, fraction) => {
        const isMicros = number >= 10n ** 14n;
        const [unit, kept] = number >= 10n ** 11n ? [1_000n, 3] : [1_000_000n, 6];
        const expected = isMicros
          ? fraction === null
            ? Number(number)
            : null
          : Number(number * unit + BigInt((fraction ?? '').padEnd(kept, '0').slice(0, kept)));
        expect(read(fraction === null ? `${number}` : `${number}.${fraction}`)).toBe(expected === null ? null : Math.min(expected, 2 ** 53));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('readDate', () => {
  test.each<[string, number | null]>([
    ['2026-03-14', 20_526],
    ['1970-01-01', 0],
    ['1969-12-31', -1],
    ['2000-02-29', 11_016],
    ['2100-02-29', null],
    ['2026-3-14', null],
    ['20260314', null],
    ['2026-03-14T00:00:00Z', null],
    ['2026-03-14 ', null],
    ['', null],
  ])('%j', (text, expected) => {
    const bytes = Buffer.from(`2${text}2`);
    const into = new Float64Array(1);
    expect(readDate(bytes, 1, bytes.length - 1, into, 0) ? into[0] : null).toBe(expected);
  });
});
