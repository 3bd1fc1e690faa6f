import { once } from 'node:events';
import { expect, it } from 'vitest';
import { eventually } from '../../test/live/open-small-live.ts';
import { connectRaw, headOf, post, send, startServer } from '../../test/server/test-server.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import type { Answered } from './answered.ts';

it('tells of each request how it ended, and nothing of what it asked for', async () => {
  const answered: Answered[] = [];
  const server = await startServer({ onAnswered: (each) => answered.push(each) });
  await post(server, 'users', 'application/json', '{"user_id":"u-4711"}', { 'x-request-id': 'mine' });
  server.answer = () => Promise.reject(new AdvertiseXError('server_busy', 'Busy', 'Wait.'));
  await post(server, 'users?user_id=u-4711', 'application/json', '{}');
  await post(server, 'u-4711', 'application/json', '{}');
  await send(server, '/u-4711?user_id=u-4711');
  await send(server, '/healthz', { method: 'PATCH' });
  await send(server, '/healthz', { method: 'PROPFIND' });
  await eventually(() => answered.length === 6);
  expect(answered.map(({ method, route, status }) => `${method} ${route} ${status}`)).toEqual([
    'POST /v1/events/:feed 200',
    'POST /v1/events/:feed 503',
    'POST /v1/events/:feed 404',
    'GET none 404',
    'PATCH /healthz 405',
    'other none 404',
  ]);
  expect(answered[0]).toMatchObject({ requestId: 'mine' });
  expect(answered.every(({ seconds }) => seconds >= 0 && seconds < 60)).toBe(true);
  expect(JSON.stringify(answered)).not.toContain('4711');
  await server.close();
});

it('tells of a client that went away before its answer', async () => {
  const answered: Answered[] = [];
  const server = await startServer({ onAnswered: (each) => answered.push(each) });
  const taken = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  server.answer = async () => {
    taken.resolve();
    await answer.promise;
    return { received: 1, refused: [], moreRefused: 0 };
  };
  const { socket } = connectRaw(server);
  socket.write(`${headOf('users', 'Content-Length: 2')}{}`);
  await taken.promise;
  expect((await server.load()).connections).toBe(1);
  expect((await server.load()).bodyBytes).toBeGreaterThan(0);
  socket.destroy();
  await once(socket, 'close');
  await eventually(async () => (await server.load()).connections === 0);
  answer.resolve();
  await eventually(() => answered.length === 1);
  expect(answered[0]).toMatchObject({ route: '/v1/events/:feed', status: 'aborted' });
  await eventually(async () => (await server.load()).bodyBytes === 0);
  await server.close();
});

it('reports what is wrong inside with the id of the request', async () => {
  const reported: [string, string | undefined][] = [];
  const server = await startServer({ report: (message, _cause, requestId) => reported.push([message, requestId]) });
  server.answer = () => Promise.reject(new AdvertiseXError('log_failed', 'The disk is gone', 'Look at it.'));
  await post(server, 'users', 'application/json', '{}', { 'x-request-id': 'r-1' });
  expect(reported).toEqual([['Request r-1: The disk is gone', 'r-1']]);
  await server.close();
});
