import type { FastifyReply, FastifyRequest } from 'fastify';

/** On every answer that does not say otherwise: it is for whoever asked, once, and no page may take it for its own. */
const HEADERS = Object.entries({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
});

export function addAnswerHeaders(request: FastifyRequest, reply: FastifyReply, isClosing: boolean): void {
  for (const [name, value] of HEADERS) if (!reply.hasHeader(name)) reply.header(name, value);
  reply.header('x-request-id', request.id);
  if (isClosing) reply.header('connection', 'close');
}

/** The caller's own id, so that it can be found in both logs: short, and of characters that are safe in one. */
export function requestIdOf(header: string | string[] | undefined, newRequestId: () => string): string {
  return typeof header === 'string' && /^[\w.-]{1,64}$/.test(header) ? header : newRequestId();
}
