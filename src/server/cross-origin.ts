import type { FastifyReply, FastifyRequest } from 'fastify';

/** Lets pages of listed origins use the API (CORS). Returns the answer where the request only asks whether it may. */
export function allowOrigin(origins: readonly string[], request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
  if (origins.length === 0) return undefined;
  reply.header('vary', 'Origin');
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return undefined;
  reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', 'ETag, Link, Retry-After, X-Request-Id');
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return undefined;
  return reply
    .code(204)
    .header('access-control-allow-methods', 'GET, POST')
    .header('access-control-allow-headers', 'Authorization, Content-Type, Content-Encoding, If-None-Match, X-Request-Id')
    .header('access-control-max-age', '600')
    .send();
}
