import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { bufferHost } from '../command-line/buffer-host.ts';
import { RegistryServer } from '../registry/registry-server.ts';
import { readBlocks } from './guide-blocks.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/avro-messages.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-avro-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));
const blocks = readBlocks(GUIDE);

it('its settings are some', () => {
  const [settings] = blocks.filter(({ language }) => language === 'yaml');
  expect(() => settingsSchema.parse(parse(settings?.text ?? ''))).not.toThrow();
});

it('its commands do what it says, beside a registry', async () => {
  const server = await RegistryServer.start();
  const run = async (line: string) => {
    const host = bufferHost({ workingDirectory: folder, environment: { ADVERTISEX_REGISTRY_URL: server.url } });
    const exit = await runCommandLine(line.split(' ').slice(1), host);
    return { exit, out: host.out() };
  };
  const [replay, check] = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text.trim());
  expect((await run(`${check} --format json`)).exit).toBe(0);
  server.add('bids-value', { type: 'record', name: 'Bid', fields: [{ name: 'timestamp', type: 'long' }] });
  expect(await run(String(check))).toMatchObject({ exit: 1, out: expect.stringContaining('auction.user_id') });
  await run('advertisex demo --events 1000');
  expect(await run(String(replay))).toMatchObject({ exit: 0 });
  await server.stop();
});
