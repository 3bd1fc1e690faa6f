import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { loadSettings } from '../../src/config/load-settings.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { EVENT_FEEDS } from '../../src/domain/feeds.ts';
import { bufferHost } from '../command-line/buffer-host.ts';
import { readBlocks } from '../docs/guide-blocks.ts';
import { cluster, PLAIN } from './kafka-settings.ts';
import { countRecords } from './kafka-topic.ts';

const blocks = readBlocks(readFileSync(join(import.meta.dirname, '../../docs/guides/send-files-to-kafka.md'), 'utf8'));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-guide-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  const admin = new Admin(PLAIN);
  await admin.deleteTopics({ topics: [...EVENT_FEEDS] });
  await admin.close();
});

it('the guide does what it says, and every record of the files is in its topic', async () => {
  const environment = { ADVERTISEX_KAFKA_BROKERS: `[${cluster.kafka.brokers}]`, ADVERTISEX_REGISTRY_URL: cluster.registry.url };
  for (const { text } of blocks.filter(({ language }) => language === 'sh')) {
    for (const line of text.trim().split('\n')) {
      const host = bufferHost({ workingDirectory: folder, environment, clock: () => Date.now() * 1_000 });
      const exit = await runCommandLine(line.split(' ').slice(1), host);
      expect({ line, exit, err: exit === 0 ? '' : host.err() }).toEqual({ line, exit: 0, err: '' });
    }
  }
  const { feeds } = JSON.parse(readFileSync(join(folder, 'traffic/truth/summary.json'), 'utf8')) as { feeds: Record<string, { files: { records: number }[] }> };
  for (const feed of EVENT_FEEDS) {
    const records = feeds[feed]?.files.reduce((sum, file) => sum + file.records, 0) ?? 0;
    expect(records).toBeGreaterThan(100);
    expect({ feed, records: await countRecords(PLAIN, feed) }).toEqual({ feed, records });
  }
});

it('its settings are settings', () => {
  const settings = blocks.filter(({ language }) => language === 'yaml').map(({ text }) => parse(text) as { kafka: object; registry?: object });
  expect(settings).toHaveLength(2);
  for (const { kafka, registry } of settings) {
    if (registry !== undefined) expect(settingsSchema.parse({ registry }).registry).toMatchObject(registry);
    const environment = Object.fromEntries(
      Object.entries(kafka).map(([key, value]) => [`ADVERTISEX_KAFKA_${key.toUpperCase()}`, JSON.stringify(value).replace(/^"|"$/g, '')]),
    );
    expect(loadSettings({ environment }).kafka).toMatchObject(kafka);
  }
});
