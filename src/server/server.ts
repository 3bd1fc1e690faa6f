import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import fastify, { type FastifyInstance } from 'fastify';
import type { Collector } from '../collector/collector.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { addAnswerHeaders, requestIdOf } from './answer-headers.ts';
import { type Answered, tellAnswered } from './answered.ts';
import { DescribedRoutes } from './api/described-routes.ts';
import { registerApi } from './api/register-api.ts';
import { BodyBudget } from './body-budget.ts';
import { registerCollect } from './collect-route.ts';
import { continueRequest } from './continue.ts';
import { answersPreflight } from './cross-origin.ts';
import type { Figures } from './figures.ts';
import { type Health, registerHealth } from './health.ts';
import { isLoopback, requireLoopbackHost } from './host-names.ts';
import { createNodeServer, refuseConnection } from './http-server.ts';
import type { ServerLimits } from './limits.ts';
import { refuseOtherMethods } from './method-refusals.ts';
import { type Report, sendError } from './problems.ts';
import { readTlsPair, type TlsFiles, watchTlsFiles } from './tls.ts';
import { AccessControl, type AccessToken } from './tokens.ts';
import { registerTracking, type Tracking } from './tracking-routes.ts';

export interface ServerOptions {
  /** Off loopback there have to be tokens. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly collector: Collector;
  readonly health: Health;
  readonly tokens: readonly AccessToken[];
  readonly tls?: TlsFiles;
  /** Pages of these origins may use the API: `https://dashboard.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Absent: there is no pixel and no click address. */
  readonly tracking?: Tracking;
  readonly limits: ServerLimits;
  readonly nowMicros: () => number;
  readonly newRequestId: () => string;
  /** Told what whoever sent is not told. */
  readonly report: Report;
  /** Told of each request once it is over. */
  readonly onAnswered?: (answered: Answered) => void;
  /** Absent: nothing can be read. */
  readonly figures?: Figures;
  /** 32 random bytes that nobody outside can guess, others at each start. */
  readonly secret: Uint8Array;
  /** Of AdvertiseX. */
  readonly version: string;
  /** More routes. Each says in its config whom it is for, and what it does. */
  readonly routes?: readonly ((app: FastifyInstance) => void)[];
}

export interface HttpServer {
  /** With the port that it listens on. */
  readonly url: string;
  /** What it holds at the moment. */
  load(): Promise<{ readonly connections: number; readonly bodyBytes: number }>;
  /** Takes no more connections, and ends once the requests under way are answered, or their time is over. */
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route says itself when it wants the body. */
    readsBody?: boolean;
  }
}

/** Listens when it resolves. Throws `config_invalid` for what it must not or cannot serve, `server_failed` where the address is taken. */
export async function createServer(options: ServerOptions): Promise<HttpServer> {
  const { limits, report } = options;
  const access = new AccessControl(options.tokens);
  if (access.isOpen && !isLoopback(options.host)) {
    throw new AdvertiseXError(
      'config_invalid',
      `The server has no tokens, and ${options.host} can be reached from other machines`,
      'Give it tokens, or let it listen on 127.0.0.1.',
    );
  }
  const pair = options.tls === undefined ? undefined : await readTlsPair(options.tls);
  const servers: Server[] = [];
  const app = fastify({
    serverFactory: (listener) => {
      const server = createNodeServer(limits, pair, listener);
      servers.push(server);
      return server;
    },
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id'], options.newRequestId),
    clientErrorHandler: refuseConnection,
    return503OnClosing: false,
    bodyLimit: 1_048_576,
  });
  let isClosing = false;
  const budget = new BodyBudget(limits.maxBodiesBytes);
  if (options.onAnswered !== undefined) tellAnswered(app, options.onAnswered);
  addRules(app, options, access, () => isClosing);
  addRoutes(app, options, budget, () => isClosing);
  await listen(app, options);
  const stopWatching =
    options.tls &&
    pair &&
    watchTlsFiles(
      options.tls,
      servers.filter((server) => server instanceof SecureServer),
      pair,
      report,
    );
  const { port } = (servers[0] as Server).address() as AddressInfo;
  return {
    url: `${pair === undefined ? 'http' : 'https'}://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    load: async () => {
      const counts = await Promise.all(servers.map((server) => promisify(server.getConnections.bind(server))()));
      return { connections: counts.reduce((sum, count) => sum + count, 0), bodyBytes: budget.heldBytes };
    },
    close: async () => {
      isClosing = true;
      stopWatching?.();
      const timer = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, limits.closeMillis);
      await app.close();
      clearTimeout(timer);
    },
  };
}

/** What holds for every request, in this order, before its route sees it. */
function addRules(app: FastifyInstance, { allowedOrigins, report }: ServerOptions, access: AccessControl, isClosing: () => boolean): void {
  // By callbacks: a promise for each hook of each request would cost more than the hooks do.
  app.addHook('onRequest', (request, reply, done) => {
    if (access.isOpen) requireLoopbackHost(request.headers.host);
    if (answersPreflight(allowedOrigins, request, reply)) return;
    if (!request.is404) access.require(request.routeOptions.config.role ?? 'admin', request, reply);
    done();
  });
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (request.routeOptions.config.readsBody !== true) continueRequest(request.raw, reply.raw);
    done();
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    addAnswerHeaders(request, reply, isClosing());
    done();
  });
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, report));
  app.setNotFoundHandler(() => {
    throw new AdvertiseXError('not_found', 'There is nothing at this address', 'Look for the right address in the documentation of the API.');
  });
}

function addRoutes(app: FastifyInstance, options: ServerOptions, budget: BodyBudget, isClosing: () => boolean): void {
  const { collector, tracking, limits, nowMicros } = options;
  const described = new DescribedRoutes(app);
  const refuseOthers = refuseOtherMethods(app);
  app.register(async (scope) => registerCollect(scope, { collector, limits, budget }));
  app.register(async (scope) => {
    registerHealth(scope, options.health, isClosing);
    if (tracking !== undefined) registerTracking(scope, { tracking, collector, nowMicros });
    described.addDocument(scope, options.version, options.tokens.length > 0);
    for (const register of options.routes ?? []) register(scope);
  });
  const { figures } = options;
  if (figures !== undefined) app.register(async (scope) => registerApi(scope, figures, options.secret));
  app.after(() => {
    described.close();
    refuseOthers();
  });
}

async function listen(app: FastifyInstance, { host, port }: ServerOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    if (cause instanceof AdvertiseXError) throw cause;
    throw new AdvertiseXError(
      'server_failed',
      `The server cannot listen on ${host}:${port}: ${(cause as Error).message}`,
      'Choose a free port and an address of this machine.',
      cause,
    );
  }
}
