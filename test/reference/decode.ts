/** SEMANTICS §2 and §4: from the bytes of a file to its records, or to what does not decode. */
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decodeAvro } from './decode-avro.ts';
import { decodeCsv } from './decode-csv.ts';
import { decodeJson } from './decode-json.ts';
import type { Field } from './feeds.ts';

export type Encoding = 'json' | 'csv' | 'avro';

/** A received value: its kind, and its text with every digit. Objects keep their members, twice given ones too. */
export interface Raw {
  readonly kind: 'null' | 'text' | 'number' | 'boolean' | 'micros' | 'nested';
  readonly text: string;
  readonly members?: readonly (readonly [string, Raw])[];
}

/** What stands at one position of a file: an object, or a reason why there is none. */
export type Decoded = { readonly record: Raw } | { readonly problem: 'malformed' | 'too_large' };

/** The values of a record, field for field; `undefined` where the field is absent. Null where a field is there twice. */
export function pickFields(record: Raw, fields: readonly Field[], encoding: Encoding): (Raw | undefined)[] | null {
  const values: (Raw | undefined)[] = [];
  for (const field of fields) {
    let value: Raw | undefined = record;
    for (const name of encoding === 'csv' ? [field.path.join('.')] : field.path) {
      const found: (readonly [string, Raw])[] = (value?.members ?? []).filter(([member]) => member === name);
      if (found.length > 1) return null;
      value = found[0]?.[1];
    }
    values.push(value);
  }
  return values;
}

/** The records of a file in order. A container that is cut or damaged ends with one `malformed`. */
export function decode(bytes: Uint8Array, encoding: Encoding, recordBytes: number, fields: readonly Field[], delimiter = ','): Decoded[] {
  const plain = decompress(bytes);
  if (plain === null) return [{ problem: 'malformed' }];
  if (encoding === 'json') return decodeJson(plain, recordBytes);
  if (encoding === 'avro') return decodeAvro(plain, recordBytes);
  const columns = fields.map((field) => field.path.join('.'));
  return decodeCsv(plain, recordBytes, delimiter, columns);
}

function decompress(bytes: Uint8Array): Uint8Array | null {
  const starts = (...magic: number[]) => magic.every((byte, i) => bytes[i] === byte);
  try {
    if (starts(0x1f, 0x8b)) return gunzipSync(bytes, { finishFlush: constants.Z_FINISH });
    if (starts(0x28, 0xb5, 0x2f, 0xfd)) return zstdDecompressSync(bytes);
  } catch {
    return null;
  }
  return bytes;
}

/** Bytes kept one a character, as UTF-8; null when they are not UTF-8. */
export function utf8(latin1: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return null;
  }
}
