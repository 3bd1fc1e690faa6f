import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { AdvertiseXError } from '../../domain/errors.ts';

/** Where a page goes on: behind which row, and in which state of the tables, so that no row is missed or comes twice while batches run. */
export interface Place {
  readonly asOf: number;
  readonly after: readonly string[];
}

const placeSchema = z.tuple([z.int().min(0), z.array(z.string())]);
const SEAL_BYTES = 16;

/** Places as opaque texts, each sealed for the list and the filter that it was made for. They hold as long as the process runs. */
export class Cursors {
  readonly #key: Uint8Array;

  /** Of 32 random bytes that nobody outside can guess. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  write({ asOf, after }: Place, list: string): string {
    const place = JSON.stringify([asOf, after]);
    return Buffer.concat([this.#seal(place, list), Buffer.from(place)]).toString('base64url');
  }

  read(cursor: string, list: string): Place {
    const bytes = Buffer.from(cursor, 'base64url');
    const place = bytes.subarray(SEAL_BYTES).toString();
    if (bytes.length <= SEAL_BYTES || !timingSafeEqual(bytes.subarray(0, SEAL_BYTES), this.#seal(place, list))) {
      throw new AdvertiseXError(
        'request_invalid',
        'The cursor is not one that was given for this list and these filters since the server was started',
        'Take `next` as it is given. Where the server was started anew, begin with the first page.',
      );
    }
    const [asOf, after] = placeSchema.parse(JSON.parse(place));
    return { asOf, after };
  }

  #seal(place: string, list: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([list, place]))
      .digest()
      .subarray(0, SEAL_BYTES);
  }
}
