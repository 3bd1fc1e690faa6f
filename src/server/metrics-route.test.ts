import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send, startServer, type TestServer } from '../../test/server/test-server.ts';
import { metricsRoute, prefersOpenMetrics } from './metrics-route.ts';
import { hashOfToken, type Role } from './tokens.ts';

const routes = [metricsRoute(async (format) => ({ contentType: `text/${format}; version=1; charset=utf-8`, text: `${format}\n` }))];

describe('GET /metrics', () => {
  let server: TestServer;
  beforeAll(async () => {
    const roles: Role[] = ['ingest', 'read', 'admin'];
    server = await startServer({ routes, tokens: roles.map((role) => ({ sha256: hashOfToken(role), roles: [role] })) });
  });
  afterAll(() => server.close());

  it.each([
    [undefined, 401],
    ['ingest', 403],
    ['read', 200],
    ['admin', 200],
  ])('is for readers: %s', async (token, status) => {
    const answer = await send(server, '/metrics', { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(status);
  });

  it('is in the format that is asked for', async () => {
    const ask = (accept?: string) => send(server, '/metrics', { headers: { authorization: 'Bearer read', ...(accept === undefined ? {} : { accept }) } });
    expect(await ask()).toMatchObject({ body: 'prometheus\n', headers: { 'content-type': 'text/prometheus; version=1; charset=utf-8', vary: 'Accept' } });
    expect(await ask('application/openmetrics-text')).toMatchObject({ body: 'openmetrics\n' });
  });
});

it('without tokens is for this machine', async () => {
  const server = await startServer({ routes });
  expect(await send(server, '/metrics')).toMatchObject({ status: 200 });
  expect(await send(server, '/metrics', { headers: { host: 'evil.example' } })).toMatchObject({ status: 421 });
  await server.close();
});

it.each([
  [undefined, false],
  ['*/*', false],
  ['text/plain', false],
  ['text/html, */*;q=0.1', false],
  ['application/openmetrics-text', true],
  ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1', true],
  ['application/openmetrics-text; version=1.0.0; escaping=allow-utf-8; q=0.6, text/plain;q=0.4', true],
  ['application/openmetrics-text;version=0.0.1,text/plain;q=0.5', false],
  ['application/openmetrics-text;q=0.3,text/plain;q=0.5', false],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text;q=abc', false],
  [';;,,q=', false],
])('reads Accept: %s', (accept, prefers) => expect(prefersOpenMetrics(accept)).toBe(prefers));
