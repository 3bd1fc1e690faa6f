import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { connectRaw, headOf, post, send, startServer, type TestOptions, type TestServer } from '../../test/server/test-server.ts';
import type { Receipt } from '../collector/collector.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(limits: TestOptions['limits'] = {}): Promise<TestServer> {
  const server = await startServer({ limits: { closeMillis: 500, ...limits } });
  servers.push(server);
  return server;
}

/** Holds deliveries back until a test lets them go. */
function holdDeliveries(server: TestServer): () => void {
  const { promise, resolve } = Promise.withResolvers<Receipt>();
  server.answer = () => promise;
  return () => resolve({ received: 1, refused: [], moreRefused: 0 });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(5);
}

describe('a slow client is let go', () => {
  it.each([
    ['that says nothing', ''],
    ['in the head of its request', 'POST /v1/events/users HTTP/1.1\r\nHost: 127.0.0.1\r\nX-'],
  ])('%s', async (_name, sent) => {
    const server = await start({ headersMillis: 150, requestMillis: 60_000 });
    const { socket, received } = connectRaw(server);
    socket.write(sent);
    const drip = setInterval(() => socket.write(sent === '' ? '' : 'a'), 20);
    expect(await received).toMatch(/^(HTTP\/1.1 408|$)/);
    clearInterval(drip);
  });

  it.each([
    ['in its body', '1000', '408'],
    ['in a body that was refused', '99999999999', '413'],
  ])('%s', async (_name, length, status) => {
    const server = await start({ headersMillis: 100, requestMillis: 300 });
    const { socket, received } = connectRaw(server);
    socket.write(headOf('users', `Content-Length: ${length}`));
    const drip = setInterval(() => socket.write(' '), 20);
    expect((await received).match(/(?<=HTTP\/1.1 )\d+/g)).toEqual([status]);
    clearInterval(drip);
    expect(server.deliveries).toEqual([]);
  });

  it('between requests', async () => {
    const server = await start({ keepAliveMillis: 100 });
    const { socket, received } = connectRaw(server);
    socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    expect(await received).toMatch(/^HTTP\/1.1 200/);
  });
});

describe('of a body that does not come whole', () => {
  it.each([
    ['its length is not reached', `${headOf('users', 'Content-Length: 100')}{"a":1}`],
    ['its last piece is missing', `${headOf('users', 'Transfer-Encoding: chunked')}7\r\n{"a":1}\r\n`],
  ])('nothing is taken: %s', async (_name, text) => {
    const server = await start();
    for (const leave of ['end', 'destroy'] as const) {
      const { socket, received } = connectRaw(server);
      socket.write(text);
      await wait(30);
      socket[leave]();
      expect(await received).not.toMatch(/ 200 /);
    }
    expect(server.deliveries).toEqual([]);
    expect(server.reports).toEqual([]);
    expect(await post(server, 'users', 'application/json', '{}')).toMatchObject({ status: 200 });
  });

  it.each([
    ['two lengths', `${headOf('users', 'Content-Length: 2', 'Content-Length: 3')}{}`],
    ['a length and pieces', `${headOf('users', 'Content-Length: 2', 'Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\n\r\n`],
    ['a length that is no number', `${headOf('users', 'Content-Length: 2x')}{}`],
    ['a piece that is none', `${headOf('users', 'Transfer-Encoding: chunked')}zz\r\n{}`],
    ['a piece of less than nothing', `${headOf('users', 'Transfer-Encoding: chunked')}-2\r\n{}\r\n0\r\n\r\n`],
    ['a piece of more than there are numbers', `${headOf('users', 'Transfer-Encoding: chunked')}${'f'.repeat(20)}\r\n{}\r\n0\r\n\r\n`],
    ['a piece that is longer than it says', `${headOf('users', 'Transfer-Encoding: chunked')}2\r\n{}}}\r\n0\r\n\r\n`],
    ['pieces within another coding', `${headOf('users', 'Transfer-Encoding: chunked, gzip')}2\r\n{}\r\n0\r\n\r\n`],
    ['no HTTP', 'hello\r\n\r\n'],
    ['a head that is too long', headOf('users', `X-Long: ${'a'.repeat(20_000)}`)],
  ])('the connection is ended: %s', async (_name, text) => {
    const server = await start();
    const { socket, received } = connectRaw(server);
    socket.write(text);
    expect(await received).toMatch(/^HTTP\/1.1 4(00|31) [\s\S]*application\/problem\+json/);
    expect(server.deliveries).toEqual([]);
  });
});

describe('memory', () => {
  it('is bounded over all bodies, before they are read and while they are', async () => {
    const server = await start({ maxBodyBytes: 60_000, maxBodiesBytes: 100_000 });
    const letGo = holdDeliveries(server);
    const first = post(server, 'users', 'application/json', Buffer.alloc(50_000));
    await until(() => server.deliveries.length === 1);
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const refused = await post(server, 'users', 'application/json', Buffer.alloc(60_000), headers);
      expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, json: { type: 'urn:advertisex:error:server_busy' } });
    }
    const { socket, until: untilReceived } = connectRaw(server);
    socket.write(headOf('users', 'Content-Length: 60000'));
    expect(await untilReceived('server_busy')).toMatch(/^HTTP\/1.1 503/);
    socket.destroy();
    letGo();
    expect(await first).toMatchObject({ status: 200 });
    expect(await post(server, 'users', 'application/json', Buffer.alloc(60_000))).toMatchObject({ status: 200 });
  });

  it('is given back by those who leave and those who are refused', async () => {
    const server = await start({ maxBodyBytes: 60_000, maxBodiesBytes: 100_000 });
    for (let i = 0; i < 10; i++) {
      const { socket } = connectRaw(server);
      socket.write(headOf('users', 'Content-Length: 50000') + '{'.repeat(40_000));
      await wait(10);
      socket.destroy();
      await post(server, 'users', 'application/json', Buffer.alloc(60_001), { 'transfer-encoding': 'chunked' });
    }
    const letGo = holdDeliveries(server);
    const both = [1, 2].map(() => post(server, 'users', 'application/json', Buffer.alloc(50_000)));
    await until(() => server.deliveries.length === 2);
    letGo();
    for (const answer of await Promise.all(both)) expect(answer).toMatchObject({ status: 200 });
  });

  it('is not taken for what still comes of a body that was refused', async () => {
    const server = await start({ maxBodyBytes: 60_000, maxBodiesBytes: 100_000 });
    const letGo = holdDeliveries(server);
    const first = post(server, 'users', 'application/json', Buffer.alloc(60_000));
    await until(() => server.deliveries.length === 1);
    const { socket, until: untilReceived } = connectRaw(server);
    socket.write(`${headOf('users', 'Transfer-Encoding: chunked')}c350\r\n${'a'.repeat(50_000)}\r\n`);
    await untilReceived('server_busy');
    letGo();
    await first;
    socket.write(`1388\r\n${'a'.repeat(5_000)}\r\n`);
    await wait(30);
    const letBothGo = holdDeliveries(server);
    const both = [1, 2].map(() => post(server, 'users', 'application/json', Buffer.alloc(50_000)));
    await until(() => server.deliveries.length === 3);
    letBothGo();
    for (const answer of await Promise.all(both)) expect(answer).toMatchObject({ status: 200 });
    socket.destroy();
  });

  it('is not kept from others by what was only announced', async () => {
    const server = await start({ maxBodyBytes: 60_000, maxBodiesBytes: 100_000 });
    const slow = Array.from({ length: 5 }, () => connectRaw(server));
    for (const { socket } of slow) socket.write(headOf('users', 'Content-Length: 60000'));
    await wait(50);
    expect(await post(server, 'users', 'application/json', Buffer.alloc(50_000))).toMatchObject({ status: 200 });
    for (const { socket } of slow) socket.destroy();
  });

  it('is given to a body in pieces of a byte as to any other', async () => {
    const server = await start({ maxBodyBytes: 100_000, maxBodiesBytes: 100_000 });
    const { socket, until: untilReceived } = connectRaw(server);
    socket.write(`${headOf('users', 'Transfer-Encoding: chunked')}${'1\r\n{\r\n'.repeat(100_000)}0\r\n\r\n`);
    await untilReceived('HTTP/1.1 200');
    expect(Buffer.from(server.deliveries[0]?.body ?? []).toString()).toBe('{'.repeat(100_000));
    socket.destroy();
  });
});

describe('a client that asks before it sends', () => {
  function ask(server: TestServer, length: number): Promise<{ status: number | undefined; wasAsked: boolean; connection: string | undefined }> {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof ask>>>();
    let wasAsked = false;
    const headers = { 'content-type': 'application/json', 'content-length': length, connection: 'keep-alive', expect: '100-continue' };
    const sent = request(new URL('/v1/events/users', server.url), { method: 'POST', headers, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, wasAsked, connection: response.headers.connection });
    });
    sent.on('continue', () => {
      wasAsked = true;
      sent.end(Buffer.alloc(length));
    });
    sent.on('error', reject);
    sent.flushHeaders();
    return promise;
  }

  it('is told to where the request is taken', async () => {
    expect(await ask(await start(), 10)).toMatchObject({ status: 200, wasAsked: true });
  });

  it('is refused without its body, and the connection is closed', async () => {
    expect(await ask(await start({ maxBodyBytes: 9 }), 10)).toEqual({ status: 413, wasAsked: false, connection: 'close' });
  });
});

describe('connections', () => {
  it('are many, and idle ones are in nobody’s way', async () => {
    const server = await start();
    const idle = Array.from({ length: 2_000 }, () => connectRaw(server).socket);
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    expect(await post(server, 'users', 'application/json', '{}')).toMatchObject({ status: 200 });
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('are closed past the most there may be', async () => {
    const server = await start({ maxConnections: 3 });
    const held = Array.from({ length: 3 }, () => connectRaw(server));
    await Promise.all(held.map(({ socket }) => once(socket, 'connect')));
    await expect(send(server, '/healthz')).rejects.toThrow();
    held[0]?.socket.end();
    await held[0]?.received;
    expect(await send(server, '/healthz')).toMatchObject({ status: 200 });
  });
});

describe('closing', () => {
  it('answers what is under way, takes no more, and leaves no connection open', async () => {
    const server = await start({ closeMillis: 60_000 });
    const letGo = holdDeliveries(server);
    const { socket, until: untilReceived, received } = connectRaw(server);
    const idle = connectRaw(server);
    idle.socket.write('GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    expect(await idle.until('"ready"')).toMatch(/^HTTP\/1.1 200/);
    socket.write(`${headOf('users', 'Content-Length: 2')}{}`);
    await until(() => server.deliveries.length === 1);
    let isClosed = false;
    const closing = server.close().then(() => {
      isClosed = true;
    });
    await idle.received;
    await expect(send(server, '/healthz')).rejects.toThrow(/ECONNREFUSED/);
    expect(isClosed).toBe(false);
    letGo();
    await untilReceived('HTTP/1.1 200');
    expect(await received).toMatch(/connection: close/i);
    await closing;
    servers.pop();
  });

  it('waits no longer than it may', async () => {
    const server = await start({ closeMillis: 100 });
    holdDeliveries(server);
    const { socket, received } = connectRaw(server);
    socket.write(`${headOf('users', 'Content-Length: 2')}{}`);
    await until(() => server.deliveries.length === 1);
    await server.close();
    expect(await received).toBe('');
    servers.pop();
  });
});
