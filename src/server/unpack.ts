import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Holding } from './body-budget.ts';
import type { Coding } from './content-types.ts';

/** Text of a body whose inside is needed. The memory of what it decompresses to is held too. */
export async function unpackText(body: Uint8Array, coding: Coding, maxBytes: number, holding: Holding): Promise<string> {
  const bytes = coding === undefined ? body : await decompress(body, coding, maxBytes, holding);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AdvertiseXError('request_invalid', 'The body is not UTF-8', 'Send it in UTF-8.', cause);
  }
}

async function decompress(body: Uint8Array, coding: Exclude<Coding, undefined>, maxBytes: number, holding: Holding): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const unpacked: AsyncIterable<Uint8Array> = Readable.from([body]).pipe(coding === 'gzip' ? createGunzip() : createZstdDecompress());
  try {
    for await (const chunk of unpacked) {
      length += chunk.length;
      if (length > maxBytes) {
        throw new AdvertiseXError('body_too_large', `The body decompresses to more than ${maxBytes} bytes`, 'Send its records in several smaller requests.');
      }
      holding.grow(chunk.length);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof AdvertiseXError) throw cause;
    throw new AdvertiseXError('body_damaged', `The body does not decompress as ${coding}`, 'Compress it anew, and send it whole.', cause);
  }
  return Buffer.concat(chunks, length);
}
