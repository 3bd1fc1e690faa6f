import type { FastifyReply, FastifyRequest } from 'fastify';

/** Lets pages of listed origins use the API (CORS). True where the request only asks whether it may: it is answered. */
export function answersPreflight(origins: readonly string[], request: FastifyRequest, reply: FastifyReply): boolean {
  if (origins.length === 0) return false;
  reply.header('vary', 'Origin');
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return false;
  reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', 'ETag, Link, Retry-After, X-Request-Id');
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  reply
    .code(204)
    .header('access-control-allow-methods', 'GET, POST')
    .header('access-control-allow-headers', 'Authorization, Content-Type, Content-Encoding, If-None-Match, X-Request-Id')
    .header('access-control-max-age', '600')
    .send();
  return true;
}
