/** SEMANTICS §3, timestamps and days. */
import { DAY, SECOND } from './words.ts';

const FIRST = BigInt(Date.parse('2000-01-01T00:00:00Z')) * 1000n;

export type TimeProblem = 'bad_timestamp' | 'timestamp_out_of_range';

/** Microseconds since 1970, or what is wrong. */
export function readTimestamp(text: string, kind: 'text' | 'number' | 'micros', zone: string, receivedAt: bigint): bigint | TimeProblem {
  const micros = kind === 'micros' ? BigInt(text) : (readEpoch(text) ?? (kind === 'text' ? readClock(text, zone) : null));
  if (micros === null || micros === 'bad_timestamp') return 'bad_timestamp';
  return micros < FIRST || micros > receivedAt + 600n * SECOND ? 'timestamp_out_of_range' : micros;
}

/** Seconds, milliseconds or microseconds, told apart by magnitude; what is past the microsecond is cut. Null when these are not digits. */
function readEpoch(text: string): bigint | 'bad_timestamp' | null {
  const parts = /^(-?)([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (parts === null) return null;
  const [, minus, digits, fraction = ''] = parts;
  const whole = BigInt(digits!);
  if (minus === '-') return -1n;
  if (whole >= 10n ** 17n) return 'bad_timestamp';
  if (whole >= 10n ** 14n) return fraction === '' ? whole : 'bad_timestamp';
  const places = whole >= 10n ** 11n ? 3 : 6;
  return whole * 10n ** BigInt(places) + BigInt(fraction.padEnd(places, '0').slice(0, places));
}

/** RFC 3339, also with a space for the T, also without a zone. */
function readClock(text: string, zone: string): bigint | null {
  const parts = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2}))?$/.exec(text);
  if (parts === null) return null;
  const [, date, hour, minute, second, fraction = '', utc, sign, offsetHour, offsetMinute] = parts;
  const day = readDate(date!);
  if (day === null || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const local = BigInt(Date.parse(`${day}T00:00:00Z`)) * 1000n + (BigInt(hour!) * 3600n + BigInt(minute!) * 60n + BigInt(second!)) * SECOND;
  const micros = local + BigInt(fraction.padEnd(6, '0').slice(0, 6));
  if (utc !== undefined) return micros;
  if (sign === undefined) return localToUtc(micros, zone);
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null;
  const offset = (BigInt(offsetHour!) * 3600n + BigInt(offsetMinute!) * 60n) * SECOND;
  return sign === '-' ? micros + offset : micros - offset;
}

/** A day of the calendar, as it is written, or null. */
export function readDate(text: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const midnight = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().slice(0, 10) === text ? text : null;
}

/** In an overlap the earlier offset holds; in a gap, too, which shifts the time forward by the gap. Both times it is the offset of a day before. */
function localToUtc(local: bigint, zone: string): bigint {
  const before = local - zoneOffset(local - DAY, zone);
  if (before + zoneOffset(before, zone) === local) return before;
  const after = local - zoneOffset(local + DAY, zone);
  return after + zoneOffset(after, zone) === local ? after : before;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What clocks in the zone are ahead of UTC at a moment, microseconds. */
function zoneOffset(moment: bigint, zone: string): bigint {
  const clock = clocks.get(zone) ?? new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
  clocks.set(zone, clock);
  const name = clock.formatToParts(new Date(Number(moment / 1000n))).find((part) => part.type === 'timeZoneName')!.value;
  const [, sign, hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d+):(\d+))?$/.exec(name)!;
  const offset = (BigInt(hours) * 3600n + BigInt(minutes) * 60n) * SECOND;
  return sign === '-' ? -offset : offset;
}

/** The day that a moment falls on for people in the zone. */
export function dayIn(zone: string, moment: bigint): string {
  const local = moment + zoneOffset(moment, zone);
  return new Date(Number(local / 1000n)).toISOString().slice(0, 10);
}

export function hourOf(moment: bigint): bigint {
  return moment - (moment % (3600n * SECOND));
}
