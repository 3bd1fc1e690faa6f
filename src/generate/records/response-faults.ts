import { type Fault, fault, line, withInvalidByte } from './fault.ts';
import type { ResponseRecord } from './response-record.ts';

const purchase = { eventType: 'conversion', conversionType: 'purchase', value: '20.00', currency: '' };

/** How rows of clicks and conversions go wrong in practice. */
export const RESPONSE_FAULTS: readonly Fault<ResponseRecord>[] = [
  fault('malformed', '', 'a comma too many', {}, (bytes) => Buffer.from(`${bytes.toString().trimEnd()},\n`)),
  fault('malformed', '', 'cells missing at the end', {}, (bytes) => Buffer.from(`${bytes.toString().split(',').slice(0, 4).join(',')}\n`)),
  fault('malformed', '', 'invalid UTF-8', { creativeId: 'cafe' }, withInvalidByte(',cafe,')),
  fault('malformed', '', 'a log line between the rows', {}, line('-- 1 row skipped')),
  fault('missing_field', '/timestamp', 'no time', { timestamp: '' }),
  fault('missing_field', '/user_id', 'user spelled NULL', { userId: 'NULL' }),
  fault('missing_field', '/campaign_id', 'a click without a campaign', { campaignId: '', eventType: 'click', conversionType: '' }),
  fault('missing_field', '/conversion_type', 'a conversion without a type', { eventType: 'conversion', conversionType: '' }),
  fault('bad_timestamp', '/timestamp', 'a short American date', { timestamp: '10/21/25 9:14 PM' }),
  fault('bad_timestamp', '/timestamp', 'no such hour', { timestamp: '2025-10-20T25:01:00Z' }),
  fault('timestamp_out_of_range', '/timestamp', 'before 2000', { timestamp: '1999-12-31T23:59:59Z' }),
  fault('bad_number', '/value', 'a value in words', { ...purchase, value: 'free' }),
  fault('bad_number', '/value', 'a decimal comma', { ...purchase, value: '12,50' }),
  fault('bad_number', '/value', 'a refund as a negative value', { ...purchase, value: '-20.00' }),
  fault('bad_enum', '/event_type', 'no such event type', { eventType: 'view' }),
  fault('bad_enum', '/currency', 'a currency sign', { ...purchase, currency: 'US$' }),
  fault('bad_id', '/event_id', 'an endless id', { eventId: 'f00d'.repeat(70) }),
  fault('unknown_currency', '/currency', 'a currency without a rate', { ...purchase, currency: 'XTS' }),
];
