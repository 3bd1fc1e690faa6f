import { createServer, type IncomingHttpHeaders, type Server, request as send } from 'node:http';

export interface ProxiedRequest {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * What becomes of a request, or of its answer: `slow_down` is the store's own 503; `hang` says nothing ever; `hang_up` ends the connection at once; `lose` lets the store do it and cuts the answer; `cut_after` ends the connection behind so
 * many bytes of the body; `stall_after` sends no more of it.
 */
export type Fault = 'slow_down' | 'hang' | 'hang_up' | 'lose' | { readonly cut_after: number } | { readonly stall_after: number };

export interface S3Proxy {
  readonly endpoint: string;
  readonly requests: ProxiedRequest[];
  /** Asked at each request; undefined: it goes through. */
  fault: (request: ProxiedRequest) => Fault | undefined | Promise<Fault | undefined>;
  stop(): Promise<void>;
}

const SLOW_DOWN = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

/** Stands between a client and a real server. Hosts are signed: the server gets the one that the client sent. */
export async function s3Proxy(target: string): Promise<S3Proxy> {
  const { hostname, port } = new URL(target);
  const server: Server = createServer(async (incoming, outgoing) => {
    const asked = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
    proxy.requests.push(asked);
    const fault = await proxy.fault(asked);
    if (fault === 'hang') return;
    if (fault === 'hang_up') {
      outgoing.destroy();
      return;
    }
    if (fault === 'slow_down') {
      incoming.resume();
      outgoing.writeHead(503, { 'content-type': 'application/xml', connection: 'close' }).end(SLOW_DOWN);
      return;
    }
    const forwarded = send({ hostname, port, method: asked.method, path: asked.url, headers: asked.headers }, (answer) => {
      if (fault === 'lose') {
        answer.resume().on('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      if (fault === undefined) {
        answer.pipe(outgoing);
        return;
      }
      const limit = 'cut_after' in fault ? fault.cut_after : fault.stall_after;
      let sent = 0;
      answer.on('data', (chunk: Buffer) => {
        if (sent >= limit) return;
        const part = chunk.subarray(0, limit - sent);
        sent += part.length;
        outgoing.write(part, () => sent >= limit && 'cut_after' in fault && outgoing.destroy());
      });
      answer.on('end', () => {
        if (sent < limit) outgoing.end();
        else if ('cut_after' in fault) outgoing.destroy();
      });
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { readonly port: number };
  const proxy: S3Proxy = {
    endpoint: `http://127.0.0.1:${address.port}`,
    requests: [],
    fault: () => undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
