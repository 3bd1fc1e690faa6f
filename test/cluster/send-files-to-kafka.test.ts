import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { loadSettings } from '../../src/config/load-settings.ts';
import { bufferHost } from '../command-line/buffer-host.ts';
import { readBlocks } from '../docs/guide-blocks.ts';
import { cluster, PLAIN } from './kafka-settings.ts';
import { consumeTexts } from './kafka-topic.ts';

const TOPICS = ['ad-impressions', 'clicks-conversions'];
const blocks = readBlocks(readFileSync(join(import.meta.dirname, '../../docs/guides/send-files-to-kafka.md'), 'utf8'));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-guide-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  const admin = new Admin(PLAIN);
  await admin.deleteTopics({ topics: TOPICS });
  await admin.close();
});

it('the guide does what it says, and every record of the files is in its topic', async () => {
  const environment = { ADVERTISEX_KAFKA_BROKERS: `[${cluster.kafka.brokers}]` };
  for (const { text } of blocks.filter(({ language }) => language === 'sh')) {
    for (const line of text.trim().split('\n')) {
      const host = bufferHost({ workingDirectory: folder, environment, clock: () => Date.now() * 1_000 });
      const exit = await runCommandLine(line.split(' ').slice(1), host);
      expect({ line, exit, err: exit === 0 ? '' : host.err() }).toEqual({ line, exit: 0, err: '' });
    }
  }
  const { feeds } = JSON.parse(readFileSync(join(folder, 'traffic/truth/summary.json'), 'utf8')) as { feeds: Record<string, { files: { records: number }[] }> };
  for (const topic of TOPICS) {
    const records = feeds[topic]?.files.reduce((sum, file) => sum + file.records, 0) ?? 0;
    expect(records).toBeGreaterThan(100);
    expect(await consumeTexts(PLAIN, topic, records)).toHaveLength(records);
  }
});

it('its settings are settings', () => {
  const settings = blocks.filter(({ language }) => language === 'yaml').map(({ text }) => parse(text) as { kafka: object });
  expect(settings).toHaveLength(2);
  for (const { kafka } of settings) {
    const environment = Object.fromEntries(
      Object.entries(kafka).map(([key, value]) => [`ADVERTISEX_KAFKA_${key.toUpperCase()}`, JSON.stringify(value).replace(/^"|"$/g, '')]),
    );
    expect(loadSettings({ environment }).kafka).toMatchObject(kafka);
  }
});
