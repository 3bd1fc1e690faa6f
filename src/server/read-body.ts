import type { IncomingMessage, ServerResponse } from 'node:http';
import { AdvertiseXError } from '../domain/errors.ts';
import type { BodyBudget, Holding } from './body-budget.ts';
import { continueRequest } from './continue.ts';

const SMALL_BODY_BYTES = 16_384;

export interface BodyLimits {
  readonly maxBytes: number;
  readonly budget: BodyBudget;
}

/**
 * The whole body, held by `holding`. What is too large or does not fit is refused as soon as it is known: before anything is read, where
 * the request says how long it is. The rest of a refused body is read and dropped, so that the answer reaches its sender.
 */
export async function readBody(request: IncomingMessage, response: ServerResponse, limits: BodyLimits, holding: Holding): Promise<Uint8Array> {
  const { maxBytes, budget } = limits;
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw bodyTooLarge(maxBytes);
  budget.requireRoom(announced);
  continueRequest(request, response);
  let bytes = Buffer.alloc(0);
  let length = 0;
  return new Promise((resolve, reject) => {
    // Copied together: kept one by one, chunks of a byte would take a hundred times what they count.
    const take = (chunk: Uint8Array): void => {
      try {
        const needed = length + chunk.length;
        if (needed > maxBytes) throw bodyTooLarge(maxBytes);
        if (needed > bytes.length) {
          const capacity = Math.min(Math.max(needed, bytes.length * 2, SMALL_BODY_BYTES), announced || maxBytes);
          holding.grow(capacity - bytes.length);
          const larger = Buffer.allocUnsafe(capacity);
          larger.set(bytes.subarray(0, length));
          bytes = larger;
        }
        bytes.set(chunk, length);
        length = needed;
      } catch (error) {
        // Without a listener, what still comes is dropped.
        request.off('data', take);
        reject(error);
      }
    };
    const end = () => reject(new AdvertiseXError('request_invalid', 'The connection ended before the body did', 'Send it again, whole.'));
    request.on('data', take);
    request.once('end', () => {
      // Each request closes: an error that nobody hears of would cost more than all that is read here.
      request.off('close', end);
      resolve(bytes.subarray(0, length));
    });
    request.once('error', end);
    request.once('close', end);
    if (request.destroyed) end();
  });
}

function bodyTooLarge(maxBytes: number): AdvertiseXError {
  return new AdvertiseXError('body_too_large', `A request may have ${maxBytes} bytes, and this one has more`, 'Send its records in several smaller requests.');
}
