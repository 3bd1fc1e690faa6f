/** SEMANTICS §3 and §4: from received values to stored ones, or to the rules they break. */
import type { Raw } from './decode.ts';
import { type Feed, FIELDS, type Field } from './feeds.ts';
import { readDate, readTimestamp } from './times.ts';
import type { ReferenceSettings, Row, Value } from './words.ts';

export interface Violation {
  readonly code: string;
  readonly pointer: string;
}

export interface Checked {
  readonly row: Row;
  /** In field order: the first is the code that the record is quarantined under. */
  readonly violations: readonly Violation[];
}

/** What a feed's event is. Reference feeds have none. */
export type EventType = 'impression' | 'click' | 'conversion' | 'bid_request';

/** The largest amount. */
export const MAX_MICROS = 8_790_000_000_000n;

class Broken extends Error {}

export function checkRecord(values: readonly (Raw | undefined)[], feed: Feed, settings: ReferenceSettings, receivedAt: bigint): Checked {
  const fields: readonly Field[] = FIELDS[feed];
  const zone = feed === 'ad-impressions' || feed === 'clicks-conversions' || feed === 'bid-requests' ? settings.feeds[feed].time_zone : 'UTC';
  const row: Row = {};
  const codes = new Map<string, string>();
  for (const [i, field] of fields.entries()) {
    const raw = values[i];
    row[field.column] = null;
    try {
      const spelledNull =
        raw === undefined || raw.kind === 'null' || (['text', 'number'].includes(raw.kind) && settings.normalising.null_spellings.includes(trim(raw.text)));
      if (spelledNull) {
        if (field.need === 'value' || (field.need === 'presence' && raw === undefined)) throw new Broken('missing_field');
      } else row[field.column] = readValue(raw, field, zone, receivedAt);
    } catch (problem) {
      if (!(problem instanceof Broken)) throw problem;
      codes.set(field.column, problem.message);
    }
  }
  if (feed === 'clicks-conversions') {
    // Which of the two it is can be said only when both fields that say it are in order.
    const known = !codes.has('event_type') && !codes.has('conversion_type');
    if (known && isClick(row) && row['campaign_id'] === null && !codes.has('campaign_id')) codes.set('campaign_id', 'missing_field');
    if (known && !isClick(row) && row['conversion_type'] === null) codes.set('conversion_type', 'missing_field');
  }
  const violations = fields
    .filter((field) => codes.has(field.column))
    .map((field) => ({ code: codes.get(field.column)!, pointer: `/${field.path.join('/')}` }));
  return { row, violations };
}

/** §2: the event type decides; without it an empty conversion type, or `click`, makes a click. */
function isClick(row: Row): boolean {
  const type = row['conversion_type'];
  return row['event_type'] === 'click' || (row['event_type'] === null && (type === null || (type as string).toLowerCase() === 'click'));
}

export function eventTypeOf(feed: Feed, row: Row): EventType | null {
  if (feed === 'ad-impressions') return 'impression';
  if (feed === 'bid-requests') return 'bid_request';
  if (feed === 'clicks-conversions') return isClick(row) ? 'click' : 'conversion';
  return null;
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

function readValue(raw: Raw, field: Field, zone: string, receivedAt: bigint): Value {
  if (raw.kind === 'nested') throw new Broken('wrong_type');
  if (raw.kind === 'boolean' && field.type !== 'boolean') throw new Broken('wrong_type');
  const text = trim(raw.text);
  switch (field.type) {
    case 'id':
      wholeNumber(raw, text);
      return sized(text, 1, field.maxLength, /\p{Cc}/u.test(text), 'bad_id');
    case 'text':
      wholeNumber(raw, text);
      return sized(text, 0, field.maxLength, false, 'wrong_type');
    case 'host':
      return readHost(text);
    case 'enum': {
      const value = field.values.find((allowed) => allowed === text) ?? field.values.find((allowed) => allowed === text.toLowerCase());
      if (value === undefined) throw new Broken('bad_enum');
      return value;
    }
    case 'country':
    case 'currency':
      if (!(field.type === 'country' ? /^[A-Za-z]{2}$/ : /^[A-Za-z]{3}$/).test(text)) throw new Broken('bad_enum');
      return text.toUpperCase();
    case 'boolean':
      if (!/^(true|false|1|0)$/i.test(text)) throw new Broken('wrong_type');
      return /^(true|1)$/i.test(text);
    case 'money': {
      const micros = readDecimal(text, 6);
      if (micros === null || micros < 0n || micros > MAX_MICROS) throw new Broken('bad_number');
      return micros;
    }
    case 'rate': {
      const rate = readDecimal(text, 9);
      if (rate === null || rate <= 0n || rate > BigInt(Number.MAX_SAFE_INTEGER)) throw new Broken('bad_number');
      return rate;
    }
    case 'date': {
      const date = readDate(text);
      if (date === null) throw new Broken('bad_timestamp');
      return date;
    }
    case 'timestamp': {
      const moment = readTimestamp(text, raw.kind as 'text' | 'number' | 'micros', zone, receivedAt);
      if (typeof moment === 'string') throw new Broken(moment);
      return moment;
    }
  }
}

function wholeNumber(raw: Raw, text: string): void {
  if (raw.kind === 'number' && !/^-?[0-9]+$/.test(text)) throw new Broken('wrong_type');
}

/** Lengths are in characters (code points). */
function sized(text: string, least: number, most: number, isWrong: boolean, code: string): string {
  const length = [...text].length;
  if (isWrong || length < least || length > most) throw new Broken(code);
  return text;
}

/** A decimal, times 10^places, half away from zero past the last place; null when it is no number. */
export function readDecimal(text: string, places: number): bigint | null {
  const parts = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,6}))?$/.exec(text);
  if (parts === null) return null;
  const [, minus, whole, fraction = '', exponent = '0'] = parts;
  const digits = BigInt(whole! + fraction);
  const scale = Number(exponent) - fraction.length + places;
  if (digits === 0n) return 0n;
  if (scale > 400) return null;
  const size = scale >= 0 ? digits * 10n ** BigInt(scale) : halfUp(digits, 10n ** BigInt(-scale));
  return minus === '-' ? -size : size;
}

/** A quotient of two numbers that are not negative, rounded half away from zero. */
export function halfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}

/** A host name without what an address can have around it. */
function readHost(text: string): string {
  let host = text.toLowerCase();
  host = host.replace(/^([a-z][a-z0-9+.-]*:)?\/\//, '');
  host = host.replace(/[/?#].*$/s, '');
  host = host.replace(/^.*@/s, '');
  host = host.replace(/:[0-9]*$/, '');
  host = host.replace(/\.$/, '');
  host = host.replace(/^www\./, '');
  const bytes = Buffer.byteLength(host);
  if (bytes < 1 || bytes > 253 || /[\s\p{Cc}]/u.test(host)) throw new Broken('bad_id');
  return host;
}
