import type { Readable } from 'node:stream';

/** A body that ends with an error once nothing has come of it for so long while it was waited for. */
export async function* withIdleLimit(body: Readable, idleMs: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = () => body.destroy(signal?.reason instanceof Error ? signal.reason : new Error('The reading was stopped'));
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  try {
    for (;;) {
      const timer = setTimeout(() => body.destroy(new Error(`Nothing came for ${idleMs / 1_000} s`)), idleMs);
      const { done, value } = await iterator.next().finally(() => clearTimeout(timer));
      if (done === true) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    body.destroy();
  }
}
