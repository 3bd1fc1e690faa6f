import { createServer as createPlain, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { Socket } from 'node:net';
import { answerExpectations } from './continue.ts';
import type { ServerLimits } from './limits.ts';
import type { TlsPair } from './tls.ts';

/** A server of Node.js that slow and many clients cannot hold up. */
export function createNodeServer(limits: ServerLimits, tls: TlsPair | undefined, listener: RequestListener): Server {
  const options = {
    headersTimeout: limits.headersMillis,
    requestTimeout: limits.requestMillis,
    keepAliveTimeout: limits.keepAliveMillis,
    connectionsCheckingInterval: Math.min(2_000, limits.headersMillis),
  };
  const server = tls === undefined ? createPlain(options, listener) : createSecure({ ...options, ...tls, handshakeTimeout: limits.headersMillis }, listener);
  server.maxConnections = limits.maxConnections;
  answerExpectations(server);
  return server;
}

const REFUSALS: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** What is no HTTP, too long or too slow never becomes a request. A connection that is gone, or an answer that has begun, is only ended. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  const { code = '' } = error;
  const status = REFUSALS[code] ?? (code.startsWith('HPE_') ? 400 : undefined);
  if (status !== undefined && socket.writable && socket.bytesWritten === 0) {
    const title = STATUS_CODES[status];
    const body = JSON.stringify({ type: 'about:blank', title, status });
    const head = [`HTTP/1.1 ${status} ${title}`, 'Connection: close', 'Content-Type: application/problem+json', `Content-Length: ${body.length}`];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroy(error);
}
