import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const waiting = new WeakSet<IncomingMessage>();

/**
 * A client may ask before it sends a body (`Expect: 100-continue`). Node.js would say yes at once; here it is told when the body is
 * wanted, so that a request that is refused costs no upload. Node.js closes the connection of one that was never told.
 */
export function answerExpectations(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    server.emit('request', request, response);
  });
}

export function continueRequest(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request)) response.writeContinue();
}
