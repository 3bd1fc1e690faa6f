import type { Delivery } from '../../collector/collector.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { createDecoder } from '../../encodings/create-decoder.ts';

/** No record is shorter: `{}` in JSON, a character and a line break in CSV. In Avro a record may be nothing at all, but not thousands of them. */
const SHORTEST_RECORD_BYTES = 2;

/**
 * Throws `body_too_large` for a delivery of more than so many records. A few kilobytes that are compressed may hold millions of them, which take
 * minutes, and while they are decoded nobody else is answered. Only what is long enough to hold so many is looked at: what senders usually send is not.
 */
export function requireFewRecords({ encoding, delimiter }: Pick<Delivery, 'encoding' | 'delimiter'>, bytes: Uint8Array, most: number): void {
  if (bytes.length <= most * SHORTEST_RECORD_BYTES || mostRecords(encoding, bytes) <= most) return;
  let records = 0;
  const count = (): void => {
    if (++records <= most) return;
    throw new AdvertiseXError('body_too_large', `It holds more than ${most} records`, 'Send its records in several smaller requests.');
  };
  const decoder = createDecoder({ encoding, fields: [], maxRecordBytes: bytes.length, delimiter, firstRecordNumber: 0 }, { record: count, malformed: count });
  decoder.push(bytes);
  decoder.end();
}

/** As many as there can be at all, told by the bytes that each record has, at a glance. */
function mostRecords(encoding: Delivery['encoding'], bytes: Uint8Array): number {
  if (encoding === 'avro') return Number.POSITIVE_INFINITY;
  const begins = encoding === 'json' ? OPEN_BRACE : CARRIAGE_RETURN;
  // In an array anything may stand between two commas; elsewhere what is no object is a record by the line.
  const divides = encoding === 'json' && bytes.includes(OPEN_BRACKET) ? COMMA : LINE_FEED;
  let found = 1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === begins || byte === divides || byte === LINE_FEED) found++;
  }
  return found;
}

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
