import type { FastifyInstance } from 'fastify';

/** Why events cannot be taken. Told to anyone who asks: without paths, names or figures of a client. */
export interface UnreadyReason {
  readonly code: string;
  readonly message: string;
}

export interface Health {
  /** Nothing, where events can be taken. */
  unreadyReasons(): Promise<readonly UnreadyReason[]>;
}

export function registerHealth(app: FastifyInstance, health: Health, isClosing: () => boolean): void {
  app.get('/healthz', { config: { role: 'anyone' } }, () => ({ alive: true }));
  app.get('/readyz', { config: { role: 'anyone' } }, async (_request, reply) => {
    const reasons = isClosing() ? [{ code: 'closing', message: 'The server is closing' }] : await health.unreadyReasons();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
}
