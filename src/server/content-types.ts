import { MIMEType } from 'node:util';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Encoding } from '../domain/feeds.ts';

/** What a body is: records in an encoding, or envelopes with a record in each. */
export type BodyForm = { readonly encoding: Encoding; readonly delimiter: string } | { readonly envelopes: 'one' | 'many' };

/**
 * `application/octet-stream` is not among them: it says nothing of the bytes, and tools send it where they were not told what they
 * send. A wrong guess would put every record in quarantine.
 */
const FORMS: Readonly<Record<string, BodyForm>> = {
  'application/json': { encoding: 'json', delimiter: ',' },
  'application/x-ndjson': { encoding: 'json', delimiter: ',' },
  'application/jsonl': { encoding: 'json', delimiter: ',' },
  'text/csv': { encoding: 'csv', delimiter: ',' },
  'text/tab-separated-values': { encoding: 'csv', delimiter: '\t' },
  'application/vnd.apache.avro': { encoding: 'avro', delimiter: ',' },
  'application/avro': { encoding: 'avro', delimiter: ',' },
  'avro/binary': { encoding: 'avro', delimiter: ',' },
  'application/cloudevents+json': { envelopes: 'one' },
  'application/cloudevents-batch+json': { envelopes: 'many' },
};

export const CONTENT_TYPES = Object.keys(FORMS);
export const ACCEPTED_TYPES = CONTENT_TYPES.join(', ');
export const ACCEPTED_CODINGS = 'gzip, zstd, identity';

export function bodyFormOf(contentType: string | undefined, delimiter: string | undefined): BodyForm {
  // As most senders write it: nothing to parse.
  if (delimiter === undefined && contentType !== undefined && Object.hasOwn(FORMS, contentType)) return FORMS[contentType] as BodyForm;
  const type = parseType(contentType);
  const form = FORMS[type.essence];
  if (form === undefined) throw unsupported(`The content type ${JSON.stringify(type.essence)} is not one that records are read from`);
  const charset = type.params.get('charset')?.toLowerCase();
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset)) throw unsupported('Only UTF-8 is read');
  const isCsv = 'encoding' in form && form.encoding === 'csv';
  if (isCsv && type.params.get('header')?.toLowerCase() === 'absent') throw unsupported('CSV is read by the names in its header row');
  if (delimiter === undefined) return form;
  if (!isCsv || !/^[^\u0080-\uffff"\r\n]$/.test(delimiter)) {
    throw new AdvertiseXError(
      'request_invalid',
      'The delimiter is not one ASCII character between the cells of CSV',
      'Give one character, like %3B for a semicolon.',
    );
  }
  return { ...form, delimiter };
}

export type Coding = 'gzip' | 'zstd' | undefined;

export function codingOf(contentEncoding: string | undefined): Coding {
  switch (contentEncoding?.trim().toLowerCase() ?? 'identity') {
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'zstd':
      return 'zstd';
    default:
      throw new AdvertiseXError(
        'content_encoding_unsupported',
        'The content encoding is not one that is read',
        `Send it plain, or in one of: ${ACCEPTED_CODINGS}.`,
      );
  }
}

/** The collector goes by the first bytes, so a body has to be what its header says. */
export function requireCoding(body: Uint8Array, coding: Coding): void {
  if (coding === undefined) return;
  const start = body.length < 4 ? 0 : Buffer.from(body.buffer, body.byteOffset, 4).readUInt32LE();
  const isSo = coding === 'gzip' ? (start & 0xffff) === 0x8b1f : start === 0xfd2fb528 || start >>> 4 === 0x0184d2a5;
  if (!isSo) throw new AdvertiseXError('body_damaged', `The body does not start like ${coding}`, 'Compress it, or leave Content-Encoding out.');
}

function parseType(contentType: string | undefined): MIMEType {
  if (contentType === undefined) throw unsupported('The request has no content type');
  try {
    return new MIMEType(contentType);
  } catch {
    throw unsupported('The content type cannot be read');
  }
}

function unsupported(message: string): AdvertiseXError {
  return new AdvertiseXError('content_type_unsupported', message, `Say what the body is in Content-Type: one of ${ACCEPTED_TYPES}.`);
}
