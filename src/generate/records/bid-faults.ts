import type { BidRecord } from './bid-record.ts';
import type { Fault } from './fault.ts';
import { withByte } from './impression-faults.ts';

const FAR_AHEAD_MICROS = Date.UTC(2199, 11, 31) * 1000;

/** How bid requests go wrong although the schema holds their shape. */
export const BID_FAULTS: readonly Fault<BidRecord>[] = [
  { sort: 'invalid UTF-8', code: 'malformed', pointer: '', spoil: (r) => void (r.spaceId = 'sp-caf@'), garble: (bytes) => withByte(bytes, 'sp-caf@', 6, 0xe9) },
  { sort: 'an empty user', code: 'missing_field', pointer: '/auction/user_id', spoil: (r) => void ((r.userIdIsNumber = false), (r.userId = '')) },
  { sort: 'space spelled n/a', code: 'missing_field', pointer: '/auction/space_id', spoil: (r) => void (r.spaceId = 'N/A') },
  {
    sort: 'the clock at 1970',
    code: 'timestamp_out_of_range',
    pointer: '/timestamp',
    spoil: (r, random) => void (r.timestampMicros = random.below(1_000_000_000)),
  },
  { sort: 'a clock far ahead', code: 'timestamp_out_of_range', pointer: '/timestamp', spoil: (r) => void (r.timestampMicros = FAR_AHEAD_MICROS) },
  {
    sort: 'milliseconds for microseconds',
    code: 'timestamp_out_of_range',
    pointer: '/timestamp',
    spoil: (r) => void (r.timestampMicros = Math.floor(r.timestampMicros / 1000)),
  },
  { sort: 'a negative amount', code: 'bad_number', pointer: '/auction/amount', spoil: (r) => void (r.amount = -0.01) },
  { sort: 'an absurd amount', code: 'bad_number', pointer: '/auction/amount', spoil: (r) => void (r.amount = 1e30) },
  { sort: 'a currency in words', code: 'bad_enum', pointer: '/auction/currency', spoil: (r) => void (r.currency = 'dollars') },
  { sort: 'an endless id', code: 'bad_id', pointer: '/request_id', spoil: (r) => void (r.requestId = 'f00d'.repeat(70)) },
  { sort: 'a control character in an id', code: 'bad_id', pointer: '/auction/space_id', spoil: (r) => void (r.spaceId = 'sp-1\u0000') },
  { sort: 'a currency without a rate', code: 'unknown_currency', pointer: '/auction/currency', spoil: (r) => void (r.currency = 'XTS') },
];
