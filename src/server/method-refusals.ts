import type { FastifyInstance } from 'fastify';
import { AdvertiseXError } from '../domain/errors.ts';

/** Answers 405 at the addresses that are registered after this call, for the methods that they do not take. Call what it returns when all of them are. */
export function refuseOtherMethods(app: FastifyInstance): () => void {
  const taken = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = taken.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    taken.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...taken]) {
      const allow = [...methods].join(', ');
      app.route({
        method: app.supportedMethods.filter((method) => !methods.has(method)),
        url,
        exposeHeadRoute: false,
        config: { role: 'anyone' },
        // Before a body is parsed, which could be refused for something else.
        onRequest: async (_request, reply) => {
          reply.header('allow', allow);
          throw new AdvertiseXError('method_refused', `This address takes ${allow}`, `Use ${allow}.`);
        },
        handler: () => undefined,
      });
    }
  };
}
