import { afterEach, expect, it } from 'vitest';
import { connectRaw, headOf, startServer, type TestServer } from '../../test/server/test-server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(): Promise<TestServer> {
  const server = await startServer({ limits: { closeMillis: 500, maxBodyBytes: 1_000 } });
  servers.push(server);
  return server;
}

const record = (text: string) => `${headOf('users', `Content-Length: ${text.length}`)}${text}`;
const statuses = (received: string) => received.match(/(?<=HTTP\/1.1 )\d+/g);
const bodies = (server: TestServer) => server.deliveries.map(({ body }) => Buffer.from(body).toString());

it('requests that come in one piece are each taken, and answered in their order', async () => {
  const server = await start();
  server.answer = async ({ body }) => ({ received: Number(Buffer.from(body).toString()), refused: [], moreRefused: 0 });
  const { socket, received } = connectRaw(server);
  socket.end([11, 12, 13, 14, 15].map((number) => record(`${number}`)).join(''));
  expect([...(await received).matchAll(/"received":(\d+)/g)].map(([, number]) => number)).toEqual(['11', '12', '13', '14', '15']);
  expect(bodies(server).sort()).toEqual(['11', '12', '13', '14', '15']);
});

it('what stands behind a request that is refused is not taken for a part of it', async () => {
  const server = await start();
  const { socket, received } = connectRaw(server);
  socket.end(`${record('11')}${record('x'.repeat(1_001))}`);
  expect(statuses(await received)).toEqual(['200', '413']);
  expect(bodies(server)).toEqual(['11']);
});

it('a body that is longer than it says is taken as long as it says, and the rest is no request', async () => {
  const server = await start();
  const { socket, received } = connectRaw(server);
  socket.write(`${headOf('users', 'Content-Length: 2')}{}{"more":1}`);
  const answer = await received;
  expect(statuses(answer)?.at(-1)).not.toBe(undefined);
  expect(bodies(server)).toEqual(['{}']);
});

it('a second request cannot be smuggled in a body', async () => {
  const server = await start();
  const hidden = record('{"hidden":1}');
  const { socket, until } = connectRaw(server);
  socket.write(record(hidden));
  await until('HTTP/1.1 200');
  socket.destroy();
  expect(bodies(server)).toEqual([hidden]);
});
