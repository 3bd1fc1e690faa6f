import type { FastifyInstance } from 'fastify';

/** A request that is over, in words of a closed list: nothing of what was asked for. */
export interface Answered {
  readonly requestId: string;
  /** `other` where it is none that HTTP APIs use. */
  readonly method: string;
  /** The pattern of the address, `/v1/events/:feed`; `none` where there is nothing. */
  readonly route: string;
  /** Of the answer; `aborted` where it did not go out whole. */
  readonly status: string;
  readonly seconds: number;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Before other hooks, which may refuse. An address that cannot be read at all is no request to fastify, and is not told. */
export function tellAnswered(app: FastifyInstance, onAnswered: (answered: Answered) => void): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = reply;
    // fastify's own hook does not come where the client went away.
    raw.once('close', () => {
      onAnswered({
        requestId: request.id,
        method: METHODS.has(request.method) ? request.method : 'other',
        route: request.is404 ? 'none' : (request.routeOptions.url ?? 'none'),
        status: raw.writableFinished ? String(raw.statusCode) : 'aborted',
        seconds: reply.elapsedTime / 1_000,
      });
    });
    done();
  });
}
