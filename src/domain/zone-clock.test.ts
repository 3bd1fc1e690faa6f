import { describe, expect, test } from 'vitest';
import { createReportDate } from './timestamp.ts';
import { ZoneClock } from './zone-clock.ts';

const HOUR = 3_600;

/** Zones with every trick there is: half-hour and 45-minute offsets, changes at midnight, at 00:01, by half an hour, by two, by a whole day, in Ramadan. */
const ODD_ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Gaza',
  'Asia/Tehran',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Antarctica/Troll',
];

function seconds(text: string): number {
  return Date.parse(`${text}Z`) / 1_000;
}

/** Straight from Intl, through another of its outputs than the clock uses. */
function offsetSlowly(zone: string): (utcSeconds: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  return (utcSeconds) => {
    const name = format.formatToParts(utcSeconds * 1_000).find((part) => part.type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes = '0', rest = '0'] = /^GMT(?:([+-])(\d+):?(\d+)?(?::(\d+))?)?$/.exec(name) as unknown as [
      string,
      string?,
      string?,
      string?,
      string?,
    ];
    if (hours === undefined) return 0;
    return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * 60 + Number(rest));
  };
}

/** Every change of a zone's clocks from 2000 to 2030, to the second. */
function changesOf(zone: string): { at: number; before: number; after: number }[] {
  const offsetAt = offsetSlowly(zone);
  const changes: { at: number; before: number; after: number }[] = [];
  const step = 120 * HOUR;
  for (let start = seconds('2000-01-01T00:00:00'); start < seconds('2030-01-01T00:00:00'); start += step) {
    const before = offsetAt(start);
    const after = offsetAt(start + step);
    if (before === after) continue;
    let low = start;
    let high = start + step;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    changes.push({ at: high, before, after });
  }
  return changes;
}

describe('ZoneClock', () => {
  test.each<[string, string, string]>([
    // A gap: moved on by what was skipped. An overlap: the earlier moment.
    ['Europe/Berlin', '2026-03-29T01:59:59', '2026-03-29T00:59:59'],
    ['Europe/Berlin', '2026-03-29T02:00:00', '2026-03-29T01:00:00'],
    ['Europe/Berlin', '2026-03-29T02:30:00', '2026-03-29T01:30:00'],
    ['Europe/Berlin', '2026-03-29T03:00:00', '2026-03-29T01:00:00'],
    ['Europe/Berlin', '2026-10-25T01:59:59', '2026-10-24T23:59:59'],
    ['Europe/Berlin', '2026-10-25T02:30:00', '2026-10-25T00:30:00'],
    ['Europe/Berlin', '2026-10-25T02:59:59', '2026-10-25T00:59:59'],
    ['Europe/Berlin', '2026-10-25T03:00:00', '2026-10-25T02:00:00'],
    ['America/New_York', '2026-03-08T02:30:00', '2026-03-08T07:30:00'],
    ['America/New_York', '2026-11-01T01:30:00', '2026-11-01T05:30:00'],
    ['Australia/Lord_Howe', '2026-10-04T02:15:00', '2026-10-03T15:45:00'],
    ['Australia/Lord_Howe', '2026-04-05T01:45:00', '2026-04-04T14:45:00'],
    ['America/St_Johns', '2006-04-02T00:00:59', '2006-04-02T03:30:59'],
    ['America/St_Johns', '2006-04-02T00:01:00', '2006-04-02T03:31:00'],
    ['America/St_Johns', '2006-04-02T01:01:00', '2006-04-02T03:31:00'],
    ['America/Sao_Paulo', '2017-10-15T00:30:00', '2017-10-15T03:30:00'],
    // Samoa had no 30 December 2011.
    ['Pacific/Apia', '2011-12-30T12:00:00', '2011-12-30T22:00:00'],
    ['Pacific/Apia', '2011-12-31T00:00:00', '2011-12-30T10:00:00'],
    ['Asia/Kathmandu', '2026-01-01T00:00:00', '2025-12-31T18:15:00'],
    ['UTC', '2026-03-29T02:30:00', '2026-03-29T02:30:00'],
  ])('in %s the clock shows %s at %sZ', (zone, wall, utc) => {
    const clock = new ZoneClock(zone);
    expect(new Date((seconds(wall) - clock.offsetOfWallTime(seconds(wall))) * 1_000).toISOString()).toBe(`${utc}.000Z`);
  });

  test.each(ODD_ZONES)('%s: offsets and wall times are right on every second around every change since 2000', (zone) => {
    const clock = new ZoneClock(zone);
    const changes = changesOf(zone);
    for (const { at, before, after } of changes) {
      const near = [-86_400, -HOUR, -901, -900, -61, -60, -59, -1, 0, 1, 59, 60, 899, 900, HOUR, 86_400];
      for (const delta of near) {
        const there = clock.offsetAt(at + delta);
        if (there !== (delta < 0 ? before : after)) expect.fail(`${zone} ${new Date((at + delta) * 1_000).toISOString()}: ${there}`);
      }
      // The wall time jumps from at + before to at + after: what lies between is skipped or shown twice.
      const edge = at + Math.max(before, after);
      for (const wall of [...near.map((delta) => edge + delta), ...near.map((delta) => at + Math.min(before, after) + delta)]) {
        const expected = wall < edge ? before : after;
        if (clock.offsetOfWallTime(wall) !== expected)
          expect.fail(`${zone} wall ${new Date(wall * 1_000).toISOString()}: ${clock.offsetOfWallTime(wall)}, not ${expected}`);
      }
    }
    expect(changes.length, 'the zone changed its clocks at all').toBeGreaterThanOrEqual(['Asia/Kolkata', 'Asia/Kathmandu'].includes(zone) ? 0 : 2);
  });

  test('says which zones are plain UTC, and refuses one that is none', () => {
    expect(['UTC', 'Etc/UTC', 'Europe/London'].map((zone) => new ZoneClock(zone).isUtc)).toEqual([true, true, false]);
    expect(() => new ZoneClock('Mars/Olympus')).toThrow(RangeError);
  });

  test('its cache gives the same answer as no cache, also where two quarter hours share a place', () => {
    const clock = new ZoneClock('Europe/Berlin');
    const slowly = offsetSlowly('Europe/Berlin');
    // 8192 quarter hours apart: the same place in the cache, other sides of a change.
    for (const round of [0, 1, 2]) {
      for (let start = seconds('2025-12-01T00:00:00'); start < seconds('2026-12-01T00:00:00'); start += 8_192 * 900) {
        expect(clock.offsetAt(start + round)).toBe(slowly(start + round));
      }
    }
  });
});

describe('createReportDate', () => {
  const day = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000;

  test.each<[string, string, string]>([
    ['UTC', '2026-03-14T23:59:59.999Z', '2026-03-14'],
    ['UTC', '2026-03-15T00:00:00Z', '2026-03-15'],
    ['Europe/Berlin', '2026-03-14T22:59:59.999Z', '2026-03-14'],
    ['Europe/Berlin', '2026-03-14T23:00:00Z', '2026-03-15'],
    ['America/Los_Angeles', '2026-03-14T06:59:59Z', '2026-03-13'],
    ['America/Los_Angeles', '2026-03-14T07:00:00Z', '2026-03-14'],
    ['Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31'],
    ['Pacific/Kiritimati', '2026-01-01T10:00:00Z', '2026-01-02'],
  ])('in %s, %s falls on %s', (zone, moment, expected) => {
    expect(createReportDate(zone)(Date.parse(moment) * 1_000)).toBe(day(expected));
  });

  test('the last microsecond of a day belongs to it, the next one does not', () => {
    for (const zone of ['UTC', 'Asia/Kathmandu', 'America/St_Johns']) {
      const reportDate = createReportDate(zone);
      const midnight = (day('2026-07-01') * 86_400 - new ZoneClock(zone).offsetAt(seconds('2026-07-01T00:00:00'))) * 1e6;
      expect([reportDate(midnight - 1), reportDate(midnight)]).toEqual([day('2026-06-30'), day('2026-07-01')]);
    }
  });
});
