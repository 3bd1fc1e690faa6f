import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Delivery, Receipt } from '../../src/collector/collector.ts';
import type { UnreadyReason } from '../../src/server/health.ts';
import { SERVER_LIMITS, type ServerLimits } from '../../src/server/limits.ts';
import { createServer, type HttpServer, type ServerOptions } from '../../src/server/server.ts';

/** 2026-03-14T09:26:53Z. */
export const NOW_MICROS = 1_773_480_413_000_000;

export interface TestServer extends HttpServer {
  readonly deliveries: Delivery[];
  readonly reports: string[];
  readonly reasons: UnreadyReason[];
  /** What the collector does with a delivery. It takes one record unless a test says otherwise. */
  answer: (delivery: Delivery) => Promise<Receipt>;
}

export type TestOptions = Partial<Omit<ServerOptions, 'limits'>> & { readonly limits?: Partial<ServerLimits> };

export async function startServer({ limits, ...options }: TestOptions = {}): Promise<TestServer> {
  const deliveries: Delivery[] = [];
  const reports: string[] = [];
  const reasons: UnreadyReason[] = [];
  let requests = 0;
  const started = await createServer({
    host: '127.0.0.1',
    port: 0,
    collector: {
      take: (delivery) => {
        deliveries.push(delivery);
        return server.answer(delivery);
      },
    },
    health: { unreadyReasons: async () => reasons },
    tokens: [],
    allowedOrigins: [],
    limits: { ...SERVER_LIMITS, ...limits },
    secret: Buffer.alloc(32, 7),
    version: '1.2.3',
    nowMicros: () => NOW_MICROS,
    newRequestId: () => `request-${++requests}`,
    report: (message) => reports.push(message),
    ...options,
  });
  const server: TestServer = { ...started, deliveries, reports, reasons, answer: async () => ({ received: 1, refused: [], moreRefused: 0 }) };
  return server;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

export interface Message {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
}

export function send(server: HttpServer, path: string, { method, headers = {}, body }: Message = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(new URL(path, server.url), { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, agent: false }, (response) => {
    text(response).then((received) => {
      const isJson = /json/.test(response.headers['content-type'] ?? '');
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received, json: isJson && received !== '' ? JSON.parse(received) : {} });
    }, reject);
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

export function post(server: HttpServer, feed: string, contentType: string, body: string | Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  return send(server, `/v1/events/${feed}`, { headers: { 'content-type': contentType, ...headers }, body });
}

export function postJson(server: HttpServer, path: string, body: unknown, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  return send(server, path, { headers: { 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

/** A connection on which a test sends what it likes. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything that was received, once the server has closed it. */
  readonly received: Promise<string>;
  /** Resolves once this was received. */
  until(part: string): Promise<string>;
}

export function connectRaw(server: HttpServer): RawConnection {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let text = '';
  const received = new Promise<string>((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part)) await new Promise<void>((resolve) => socket.once('data', () => resolve()));
    return text;
  };
  return { socket, received, until };
}

export function headOf(feed: string, ...headers: string[]): string {
  return [`POST /v1/events/${feed} HTTP/1.1`, 'Host: 127.0.0.1', 'Content-Type: application/json', ...headers, '', ''].join('\r\n');
}
