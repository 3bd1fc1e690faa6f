import { createHmac } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * An answer that follows from the address and from the last committed batch alone has an ETag of both: whoever has it already is told
 * so (304) without anything being read. It is weak, as the same figures may be written in another order. The secret is
 * another one in each process, which may have other settings, contracts or data.
 */
export class Freshness {
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** The answer, where whoever asks has what there is. */
  answerUnchanged(request: FastifyRequest, reply: FastifyReply, lastBatch: number): FastifyReply | undefined {
    const about = JSON.stringify([request.url, request.headers.accept ?? '']);
    const etag = `W/"${lastBatch}-${createHmac('sha256', this.#secret).update(about).digest('base64url').slice(0, 16)}"`;
    reply.header('etag', etag).header('cache-control', 'private, no-cache').header('vary', vary(reply));
    const held = request.headers['if-none-match'];
    if (held === undefined || !holds(held, etag)) return undefined;
    return reply.code(304).send();
  }
}

function vary(reply: FastifyReply): string {
  return [reply.getHeader('vary'), 'Accept'].filter((name) => name !== undefined).join(', ');
}

function holds(held: string, etag: string): boolean {
  return held.trim() === '*' || held.split(',').some((one) => one.trim().replace(/^W\//, '') === etag.slice(2));
}
