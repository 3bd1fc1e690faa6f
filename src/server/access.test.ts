import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send, startServer, type TestServer } from '../../test/server/test-server.ts';
import type { Operation } from './api/operation.ts';
import { hashOfToken, type Role } from './tokens.ts';

const describedAs = (id: string): Operation => ({ id, tag: 'service', summary: id, answers: {} });
const JSON_BODY = { headers: { 'content-type': 'application/json' }, body: '{}' };

describe('with tokens', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      tokens: (['ingest', 'read', 'admin'] satisfies Role[]).map((role) => ({ sha256: hashOfToken(`token-${role}`), roles: [role] })),
      routes: [
        (app) => {
          app.get('/reads', { config: { role: 'read', operation: describedAs('read') } }, () => 'read');
          app.get('/says-nothing', { config: { operation: describedAs('ask') } }, () => 'admin');
        },
      ],
    });
  });
  afterAll(() => server.close());

  it.each<[string, string, number, number]>([
    ['token-ingest', '/v1/events/users', 200, 403],
    ['token-read', '/reads', 200, 403],
    ['token-admin', '/says-nothing', 200, 200],
  ])('%s opens %s and nothing else', async (token, own, ownStatus, otherStatus) => {
    for (const path of ['/v1/events/users', '/reads', '/says-nothing']) {
      const message = path === '/v1/events/users' ? JSON_BODY : {};
      const answer = await send(server, path, { ...message, headers: { ...JSON_BODY.headers, authorization: `bearer ${token}` } });
      expect([path, answer.status]).toEqual([path, path === own ? ownStatus : otherStatus]);
      if (answer.status === 403) expect(answer.headers['www-authenticate']).toMatch(/insufficient_scope/);
    }
  });

  it.each([undefined, 'Bearer ', 'Bearer token-ingest2', 'Bearer token-inges', 'Basic token-ingest', 'token-ingest', `Bearer ${hashOfToken('token-ingest')}`])(
    'is closed to %s',
    async (authorization) => {
      const before = server.deliveries.length;
      const headers = { ...JSON_BODY.headers, ...(authorization === undefined ? {} : { authorization }) };
      const answer = await send(server, '/v1/events/users', { ...JSON_BODY, headers });
      expect(answer).toMatchObject({ status: 401, json: { type: 'urn:advertisex:error:unauthenticated' } });
      expect(answer.headers['www-authenticate']).toMatch(authorization === undefined ? /^Bearer realm="advertisex"$/ : /invalid_token/);
      expect(answer.body).not.toContain('token-ingest');
      expect(server.deliveries.length).toBe(before);
    },
  );

  it('tells anyone whether it is alive and ready', async () => {
    for (const path of ['/healthz', '/readyz']) expect(await send(server, path)).toMatchObject({ status: 200 });
  });

  it('goes by any name', async () => {
    expect(await send(server, '/healthz', { headers: { host: 'collector.example' } })).toMatchObject({ status: 200 });
  });
});

describe('without tokens', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  it.each(['127.0.0.1:8480', 'localhost', 'LOCALHOST:80', '[::1]:8480', '127.9.9.9', 'app.localhost:1'])('answers for %s', async (host) => {
    expect(await send(server, '/v1/events/users', { ...JSON_BODY, headers: { ...JSON_BODY.headers, host } })).toMatchObject({ status: 200 });
  });

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1', 'x@127.0.0.1', '127.0.0.1:99999', '127.0.0.1/', '[::2]'])(
    'does not answer for %j: DNS can be rebound',
    async (host) => {
      for (const path of ['/v1/events/users', '/healthz', '/nothing']) {
        expect(await send(server, path, { method: 'GET', headers: { host } })).toMatchObject({ status: 421 });
      }
    },
  );

  it.each(['0.0.0.0', '::', '192.0.2.1', 'collector.example'])('does not start on %s', async (host) => {
    await expect(startServer({ host })).rejects.toMatchObject({ code: 'config_invalid', message: expect.stringContaining(host) });
  });
});

it('starts where other machines reach it, with tokens', async () => {
  const server = await startServer({ host: '0.0.0.0', tokens: [{ sha256: hashOfToken('t'), roles: ['ingest'] }] });
  expect(await send(server, '/v1/events/users', JSON_BODY)).toMatchObject({ status: 401 });
  await server.close();
});

it.each([
  ['secret', ['ingest']],
  ['', ['ingest']],
  [hashOfToken(''), ['ingest']],
  [hashOfToken('t'), []],
])('does not start with the token hash %j for %j, which it does not print', async (sha256, roles) => {
  const starting = startServer({ tokens: [{ sha256, roles: roles as Role[] }] });
  await expect(starting).rejects.toMatchObject({ code: 'config_invalid', message: expect.not.stringContaining(sha256 || 'secret') });
});

it('says so where its address is taken', async () => {
  const server = await startServer();
  await expect(startServer({ port: Number(new URL(server.url).port) })).rejects.toMatchObject({ code: 'server_failed' });
  await server.close();
});

describe('pages of other origins', () => {
  const origin = 'https://dashboard.example';
  const asks = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

  it('may do nothing where none is listed', async () => {
    const server = await startServer();
    const preflight = await send(server, '/v1/events/users', { method: 'OPTIONS', headers: asks });
    expect(preflight.status).toBe(405);
    for (const answer of [preflight, await send(server, '/healthz', { headers: { origin } })]) {
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    await server.close();
  });

  it('may use the API where they are listed', async () => {
    const server = await startServer({ allowedOrigins: [origin], tokens: [{ sha256: hashOfToken('t'), roles: ['ingest'] }] });
    const preflight = await send(server, '/v1/events/users', { method: 'OPTIONS', headers: asks });
    expect(preflight).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': origin, vary: 'Origin' } });
    expect(preflight.headers['access-control-allow-headers']).toMatch(/Authorization.*If-None-Match/);
    const refused = await send(server, '/v1/events/users', { ...JSON_BODY, headers: { ...JSON_BODY.headers, origin } });
    expect(refused).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': origin } });
    for (const other of ['https://evil.example', 'null', 'https://dashboard.example.evil.example']) {
      const answer = await send(server, '/healthz', { headers: { origin: other } });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      expect(answer.headers['vary']).toBe('Origin');
    }
    await server.close();
  });
});
