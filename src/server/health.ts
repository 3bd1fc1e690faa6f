import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Operation } from './api/operation.ts';

/** Why events cannot be taken. Told to anyone who asks: without paths, names or figures of a client. */
export interface UnreadyReason {
  readonly code: string;
  readonly message: string;
}

export interface Health {
  /** Nothing, where events can be taken. */
  unreadyReasons(): Promise<readonly UnreadyReason[]>;
}

const alive: Operation = {
  id: 'isAlive',
  tag: 'service',
  summary: 'Whether the process is alive',
  answers: { 200: { description: 'It is.', content: { 'application/json': z.strictObject({ alive: z.literal(true) }) } } },
};

const readiness = z.strictObject({ ready: z.boolean(), reasons: z.array(z.strictObject({ code: z.string(), message: z.string() })).describe('Why not.') });

const ready: Operation = {
  id: 'isReady',
  tag: 'service',
  summary: 'Whether it can take events',
  answers: {
    200: { description: 'It can.', content: { 'application/json': readiness } },
    503: { description: 'It cannot, for these reasons.', content: { 'application/json': readiness } },
  },
};

export function registerHealth(app: FastifyInstance, health: Health, isClosing: () => boolean): void {
  app.get('/healthz', { config: { role: 'anyone', operation: alive } }, () => ({ alive: true }));
  app.get('/readyz', { config: { role: 'anyone', operation: ready } }, async (_request, reply) => {
    const reasons = isClosing() ? [{ code: 'closing', message: 'The server is closing' }] : await health.unreadyReasons();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
}
