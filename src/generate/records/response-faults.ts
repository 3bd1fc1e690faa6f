import type { Fault } from './fault.ts';
import { withByte } from './impression-faults.ts';
import type { ResponseRecord } from './response-record.ts';

/** The currency and the value of a conversion, whatever the row was. */
function asPurchase(r: ResponseRecord, value: string, currency = ''): void {
  r.eventType = 'conversion';
  r.conversionType = 'purchase';
  r.value = value;
  r.currency = currency;
}

/** How rows of clicks and conversions go wrong in practice. */
export const RESPONSE_FAULTS: readonly Fault<ResponseRecord>[] = [
  { sort: 'a comma too many', code: 'malformed', pointer: '', garble: (bytes) => Buffer.from(`${bytes.toString().trimEnd()},\n`) },
  {
    sort: 'cells missing at the end',
    code: 'malformed',
    pointer: '',
    spoil: (r) => void (r.userAgent = ''),
    garble: (bytes) => Buffer.from(`${bytes.toString().split(',').slice(0, 5).join(',')}\n`),
  },
  { sort: 'invalid UTF-8', code: 'malformed', pointer: '', spoil: (r) => void (r.creativeId = 'caf@'), garble: (bytes) => withByte(bytes, 'caf@', 3, 0xe9) },
  { sort: 'a log line between the rows', code: 'malformed', pointer: '', garble: () => Buffer.from('-- 1 row skipped\n') },
  { sort: 'no time', code: 'missing_field', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '') },
  { sort: 'no user', code: 'missing_field', pointer: '/user_id', spoil: (r) => void (r.userId = 'NULL') },
  {
    sort: 'a click without a campaign',
    code: 'missing_field',
    pointer: '/campaign_id',
    spoil: (r) => void ((r.campaignId = ''), (r.eventType = 'click'), (r.conversionType = '')),
  },
  {
    sort: 'a conversion without a type',
    code: 'missing_field',
    pointer: '/conversion_type',
    spoil: (r) => void ((r.eventType = 'conversion'), (r.conversionType = '')),
  },
  { sort: 'the short American date', code: 'bad_timestamp', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '10/21/25 9:14 PM') },
  { sort: 'no such hour', code: 'bad_timestamp', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '2025-10-20T25:01:00Z') },
  { sort: 'before 2000', code: 'timestamp_out_of_range', pointer: '/timestamp', spoil: (r) => void (r.timestamp = '1999-12-31T23:59:59Z') },
  { sort: 'a value in words', code: 'bad_number', pointer: '/value', spoil: (r) => asPurchase(r, 'free') },
  { sort: 'a decimal comma', code: 'bad_number', pointer: '/value', spoil: (r) => asPurchase(r, '12,50') },
  { sort: 'a refund as a negative value', code: 'bad_number', pointer: '/value', spoil: (r) => asPurchase(r, '-20.00') },
  { sort: 'no such event type', code: 'bad_enum', pointer: '/event_type', spoil: (r) => void (r.eventType = 'view') },
  { sort: 'a currency sign', code: 'bad_enum', pointer: '/currency', spoil: (r) => asPurchase(r, '20.00', '€') },
  { sort: 'an endless id', code: 'bad_id', pointer: '/event_id', spoil: (r) => void (r.eventId = 'f00d'.repeat(70)) },
  { sort: 'a currency without a rate', code: 'unknown_currency', pointer: '/currency', spoil: (r) => asPurchase(r, '20.00', 'XTS') },
];
