import type { BidRecord } from './bid-record.ts';
import { type Fault, fault, withInvalidByte } from './fault.ts';

const FAR_AHEAD_MICROS = Date.UTC(2199, 11, 31) * 1000;

/** How bid requests go wrong although the schema holds their shape. */
export const BID_FAULTS: readonly Fault<BidRecord>[] = [
  fault('malformed', '', 'invalid UTF-8', { spaceId: 'sp-cafe' }, withInvalidByte('sp-cafe')),
  fault('missing_field', '/auction/user_id', 'an empty user', { userIdIsNumber: false, userId: '' }),
  fault('missing_field', '/auction/space_id', 'space spelled N/A', { spaceId: 'N/A' }),
  fault('timestamp_out_of_range', '/timestamp', 'a clock that starts at 1970', (_, random) => ({ timestampMicros: random.below(1_000_000_000) })),
  fault('timestamp_out_of_range', '/timestamp', 'a clock far ahead', { timestampMicros: FAR_AHEAD_MICROS }),
  fault('timestamp_out_of_range', '/timestamp', 'milliseconds for microseconds', (r) => ({ timestampMicros: Math.floor(r.timestampMicros / 1000) })),
  fault<BidRecord>('bad_number', '/auction/amount', 'a negative amount', { amount: -0.01 }),
  fault<BidRecord>('bad_number', '/auction/amount', 'an absurd amount', { amount: 1e30 }),
  fault<BidRecord>('bad_enum', '/auction/currency', 'a currency in words', { currency: 'dollars' }),
  fault<BidRecord>('bad_id', '/request_id', 'an endless id', { requestId: 'f00d'.repeat(70) }),
  fault<BidRecord>('bad_id', '/auction/space_id', 'a control character in an id', { spaceId: 'sp-1\u0000x' }),
  fault<BidRecord>('unknown_currency', '/auction/currency', 'a currency without a rate', { currency: 'XTS' }),
];
