import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { bufferHost } from './buffer-host.ts';

// Without a broker; what it does with one is in test/cluster.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-produce-'));
  writeFileSync(join(folder, 'a.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function produce(words: readonly string[], environment: Record<string, string> = {}): Promise<{ exit: number; err: string }> {
  const host = bufferHost({ workingDirectory: folder, environment });
  return { exit: await runCommandLine(['produce', 'ad-impressions', ...words], host), err: host.err() };
}

it('says what is missing', async () => {
  expect(await produce(['a.json'])).toMatchObject({ exit: 2, err: expect.stringMatching(/kafka\.brokers names no broker/) });
  const brokers = { ADVERTISEX_KAFKA_BROKERS: '[127.0.0.1:1]' };
  expect(await produce(['none.json'], brokers)).toMatchObject({ exit: 3, err: expect.stringMatching(/no file, folder or match for .*none\.json/) });
  expect(await produce(['a.json', '--topic', 'a/b'], brokers)).toMatchObject({ exit: 2, err: expect.stringMatching(/Expected a name of up to 249/) });
});

it('says so where nothing answers, and where what answers is no Kafka', async () => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    for (const broker of ['127.0.0.1:1', `127.0.0.1:${port}`]) {
      const { exit, err } = await produce(['a.json'], { ADVERTISEX_KAFKA_BROKERS: `[${broker}]` });
      expect({ broker, exit, err }).toEqual({
        broker,
        exit: 3,
        err: expect.stringContaining(`Kafka at ${broker} cannot be asked for the topic ad-impressions`),
      });
      expect(err).toMatch(/\[kafka_failed\]/);
    }
  } finally {
    server.close();
  }
});
