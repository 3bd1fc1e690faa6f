import { decompressBody } from '../app/live/decompress-body.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Holding } from './body-budget.ts';
import type { Coding } from './content-types.ts';

/** Text of a body whose inside is needed. The memory of what it decompresses to is held too. */
export async function unpackText(body: Uint8Array, coding: Coding, maxBytes: number, holding: Holding): Promise<string> {
  const bytes = coding === undefined ? body : await decompressBody(body, maxBytes, holding.grow);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AdvertiseXError('request_invalid', 'The body is not UTF-8', 'Send it in UTF-8.', cause);
  }
}
