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
  if (bytes.length <= most * SHORTEST_RECORD_BYTES) return;
  let records = 0;
  const count = (): void => {
    if (++records <= most) return;
    throw new AdvertiseXError('body_too_large', `It holds more than ${most} records`, 'Send its records in several smaller requests.');
  };
  const decoder = createDecoder({ encoding, fields: [], maxRecordBytes: bytes.length, delimiter, firstRecordNumber: 0 }, { record: count, malformed: count });
  decoder.push(bytes);
  decoder.end();
}
