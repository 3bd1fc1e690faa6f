import type { Fault } from './fault.ts';
import type { ImpressionRecord } from './impression-record.ts';

const line = (text: string) => (): Buffer => Buffer.from(`${text}\n`);

/** How JSON impressions go wrong in practice. */
export const IMPRESSION_FAULTS: readonly Fault<ImpressionRecord>[] = [
  {
    sort: 'cut inside a text',
    code: 'malformed',
    pointer: '',
    garble: (bytes) => Buffer.concat([bytes.subarray(0, bytes.indexOf('"website":"') + 14), Buffer.from('\n')]),
  },
  { sort: 'a log line between the records', code: 'malformed', pointer: '', garble: line('ERROR upstream timed out (110) while reading response header') },
  { sort: 'an error page', code: 'malformed', pointer: '', garble: line('<html><body><h1>502 Bad Gateway</h1></body></html>') },
  { sort: 'single quotes', code: 'malformed', pointer: '', garble: (bytes) => Buffer.from(bytes.toString().replaceAll('"', "'")) },
  { sort: 'NaN', code: 'malformed', pointer: '', spoil: (r) => void (r.price = 'NaN') },
  { sort: 'a quote that is not escaped', code: 'malformed', pointer: '', spoil: (r) => void (r.placementId = '"top "banner""') },
  {
    sort: 'invalid UTF-8',
    code: 'malformed',
    pointer: '',
    spoil: (r) => void (r.placementId = '"caf@"'),
    garble: (bytes) => withByte(bytes, '"caf@"', 4, 0xe9),
  },
  { sort: 'a key twice', code: 'malformed', pointer: '', spoil: (r) => void (r.further += ',"user_id":"u-again"') },
  { sort: 'no object', code: 'malformed', pointer: '', garble: line('"heartbeat"') },
  { sort: 'no user', code: 'missing_field', pointer: '/user_id', spoil: (r) => void (r.userId = 'null') },
  { sort: 'an empty user', code: 'missing_field', pointer: '/user_id', spoil: (r) => void (r.userId = '""') },
  { sort: 'no creative', code: 'missing_field', pointer: '/creative_id', spoil: (r) => void (r.creativeId = '') },
  { sort: 'creative spelled n/a', code: 'missing_field', pointer: '/creative_id', spoil: (r) => void (r.creativeId = '"n/a"') },
  { sort: 'no time', code: 'missing_field', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '') },
  { sort: 'no website', code: 'missing_field', pointer: '/website', spoil: (r) => void (r.website = '"-"') },
  { sort: 'an object for the user', code: 'wrong_type', pointer: '/user_id', spoil: (r) => void (r.userId = '{"id":"u-1","source":"cookie"}') },
  { sort: 'true for the creative', code: 'wrong_type', pointer: '/creative_id', spoil: (r) => void (r.creativeId = 'true') },
  { sort: 'a list for the website', code: 'wrong_type', pointer: '/website', spoil: (r) => void (r.website = '["a.example","b.example"]') },
  { sort: 'a fraction for an id', code: 'wrong_type', pointer: '/impression_id', spoil: (r) => void (r.impressionId = '1.5') },
  { sort: 'viewable perhaps', code: 'wrong_type', pointer: '/viewable', spoil: (r) => void (r.viewable = '"maybe"') },
  { sort: 'no such day', code: 'bad_timestamp', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '"2025-02-30T10:00:00Z"') },
  { sort: 'a local date', code: 'bad_timestamp', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '"20/10/2025 14:05"') },
  { sort: 'words for a time', code: 'bad_timestamp', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '"just now"') },
  {
    sort: 'nanoseconds since 1970',
    code: 'bad_timestamp',
    pointer: '/timestamp',
    spoil: (r, random) => void (r.timestamp = `1760000000${100_000_000 + random.below(800_000_000)}`),
  },
  {
    sort: 'the clock at 1970',
    code: 'timestamp_out_of_range',
    pointer: '/timestamp',
    spoil: (r, random) => void (r.timestamp = `"1970-01-01T00:0${random.below(10)}:12Z"`),
  },
  { sort: 'a clock far ahead', code: 'timestamp_out_of_range', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '"2199-12-31T23:59:59Z"') },
  { sort: 'a negative price', code: 'bad_number', pointer: '/price', spoil: (r) => void (r.price = '-1') },
  { sort: 'thousands separators', code: 'bad_number', pointer: '/price', spoil: (r) => void (r.price = '"1,234.56"') },
  { sort: 'an absurd price', code: 'bad_number', pointer: '/price', spoil: (r) => void (r.price = '1e30') },
  { sort: 'no such device type', code: 'bad_enum', pointer: '/device_type', spoil: (r) => void (r.deviceType = '"toaster"') },
  { sort: 'a country in words', code: 'bad_enum', pointer: '/country', spoil: (r) => void (r.country = '"Germany"') },
  { sort: 'a currency sign', code: 'bad_enum', pointer: '/currency', spoil: (r) => void (r.currency = '"US$"') },
  { sort: 'an endless id', code: 'bad_id', pointer: '/user_id', spoil: (r) => void (r.userId = `"${'0123456789abcdef'.repeat(20)}"`) },
  { sort: 'a control character in an id', code: 'bad_id', pointer: '/creative_id', spoil: (r) => void (r.creativeId = '"cr-1\\u0007"') },
  { sort: 'a sentence for a website', code: 'bad_id', pointer: '/website', spoil: (r) => void (r.website = '"in app"') },
  { sort: 'a currency without a rate', code: 'unknown_currency', pointer: '/currency', spoil: (r) => void ((r.price = '1.25'), (r.currency = '"XTS"')) },
];

/** Sets one byte of the place where `text` stands. */
export function withByte(bytes: Buffer, text: string, offset: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.indexOf(text) + offset] = value;
  return copy;
}
