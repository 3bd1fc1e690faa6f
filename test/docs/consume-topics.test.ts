import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { topicsToConsume } from '../../src/app/live/consumed-topics.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { METRICS } from '../../src/telemetry/metric-table.ts';
import { readBlocks } from './guide-blocks.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/consume-topics.md'), 'utf8');

it('its settings are topics that can be consumed', async () => {
  const [settings] = readBlocks(GUIDE).filter(({ language }) => language === 'yaml');
  const topics = (await topicsToConsume(settingsSchema.parse(parse(settings?.text ?? '')), {}))?.consumed ?? [];
  expect(topics.map(({ feed, topic, from, format }) => [feed, topic, from, format.encoding])).toEqual([
    ['ad-impressions', 'ad-impressions', 'earliest', 'json'],
    ['clicks-conversions', 'clicks-conversions', 'earliest', 'csv'],
    ['bid-requests', 'bid-requests', 'earliest', 'avro'],
  ]);
});

it('its metrics are there', () => {
  const named = [...GUIDE.matchAll(/advertisex_\w+/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(1);
  for (const name of named) expect(Object.keys(METRICS)).toContain(name);
});
