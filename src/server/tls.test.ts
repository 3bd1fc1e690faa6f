import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, afterEach, expect, it } from 'vitest';
import { makeSelfSigned } from '../../test/server/self-signed.ts';
import { connectRaw, startServer, type TestOptions, type TestServer } from '../../test/server/test-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-tls-'));
const files = { certificatePath: join(folder, 'server.crt'), keyPath: join(folder, 'server.key'), lookMillis: 20 };
const pairs = { one: makeSelfSigned('one'), two: makeSelfSigned('two') };
const servers: TestServer[] = [];

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function install(certificate: keyof typeof pairs, key = certificate): void {
  writeFileSync(files.certificatePath, pairs[certificate].certificate);
  writeFileSync(files.keyPath, pairs[key].key);
}

async function start(limits: TestOptions['limits'] = {}): Promise<TestServer> {
  const server = await startServer({ tls: files, limits });
  servers.push(server);
  return server;
}

/** The name in the certificate, and the status of an answer. */
async function look(server: TestServer): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', rejectUnauthorized: false }, () => {
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
  socket.on('error', reject);
  socket.once('data', (chunk) => resolve(`${socket.getPeerCertificate().subject.CN} ${chunk.toString().slice(9, 12)}`));
  return promise.finally(() => socket.destroy());
}

it('is served, and changes with its files', async () => {
  install('one');
  const server = await start();
  expect(server.url).toMatch(/^https:/);
  expect(await look(server)).toBe('one 200');
  install('two');
  for (let i = 0; i < 200 && (await look(server)) !== 'two 200'; i++) await wait(10);
  expect(await look(server)).toBe('two 200');
});

it.each<[string, () => void]>([
  ['a file that is no certificate', () => writeFileSync(files.certificatePath, 'nonsense')],
  ['a key of another certificate', () => install('one', 'two')],
  ['a key that is gone', () => rmSync(files.keyPath)],
])('stays as it was with %s, which is reported once', async (_name, spoil) => {
  install('one');
  const server = await start();
  spoil();
  for (let i = 0; i < 200 && server.reports.length === 0; i++) await wait(10);
  await wait(100);
  expect(server.reports).toEqual([expect.stringContaining(files.certificatePath)]);
  expect(server.reports.join()).not.toContain(pairs.two.key.slice(30, 60));
  expect(await look(server)).toBe('one 200');
  install('two');
  for (let i = 0; i < 200 && (await look(server)) !== 'two 200'; i++) await wait(10);
  expect(await look(server)).toBe('two 200');
  spoil();
  for (let i = 0; i < 200 && server.reports.length === 1; i++) await wait(10);
  expect(server.reports.length).toBe(2);
});

it('is looked at no more once the server is closed', async () => {
  install('one');
  const server = await startServer({ tls: files });
  await server.close();
  rmSync(files.keyPath);
  await wait(100);
  expect(server.reports).toEqual([]);
});

it('has to be there from the start', async () => {
  install('one', 'two');
  await expect(startServer({ tls: files })).rejects.toMatchObject({ code: 'config_invalid' });
});

it('is not talked to without it', async () => {
  install('one');
  const server = await start();
  await expect(fetch(server.url.replace('https', 'http'))).rejects.toThrow();
  expect(await look(server)).toBe('one 200');
});

it.each<[string, Uint8Array]>([
  ['that says nothing', new Uint8Array(0)],
  ['that stops in the middle of its first word', Buffer.from('160301020001000', 'hex')],
  ['that sends it a byte at a time', Buffer.from('1603010200010001fc0303', 'hex')],
])('does not wait for a handshake %s, nor lets others wait', async (name, bytes) => {
  install('one');
  const server = await start({ headersMillis: 400 });
  const stalled = Array.from({ length: 50 }, () => connectRaw(server));
  for (const { socket } of stalled) {
    if (name.includes('at a time')) for (const [index, byte] of bytes.entries()) setTimeout(() => socket.write(Uint8Array.of(byte)), 30 * index);
    else socket.write(bytes);
  }
  expect(await look(server)).toBe('one 200');
  for (const { received } of stalled) expect(await received).not.toContain('HTTP/');
  expect(await look(server)).toBe('one 200');
});
