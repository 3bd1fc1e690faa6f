import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ALERT_RULES } from '../../src/telemetry/alert-rules.ts';
import { METRICS } from '../../src/telemetry/metric-table.ts';
import { run } from '../faults/command-line.ts';
import { startUp, stopUp } from '../live/running-up.ts';
import { readExposition } from '../telemetry/read-exposition.ts';
import { readBlocks } from './guide-blocks.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/watch-it-run.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-watch-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));
const blocks = readBlocks(GUIDE);

it('asks what the guide asks, of a process that runs', async () => {
  const data = join(folder, 'data');
  const [up, ...asking] = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text.trim());
  expect(up).toBe('npx advertisex up --log json');
  const running = await startUp(data, {}, ['--log', 'json']);
  const curls = asking.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('curl '));
  const answers = curls.map((line) =>
    execFileSync('bash', ['-euo', 'pipefail', '-c', line.replaceAll('http://127.0.0.1:8480', running.url)], { cwd: folder, encoding: 'utf8' }),
  );
  expect(answers.slice(0, 2).map((answer) => JSON.parse(answer))).toEqual([{ alive: true }, { ready: true, reasons: [] }]);
  expect(answers[2]).toMatch(/^advertisex_events_total\{feed="ad-impressions",source="http",outcome="accepted"\} 0$/m);
  expect(asking.at(-1)).toBe('npx advertisex recon');
  expect(await run(['recon', '--data', data])).toMatchObject({ status: 0 });
  readExposition(await (await fetch(`${running.url}/metrics`)).text());
  await stopUp(running);
});

it('its configurations can be read, and its questions name metrics, labels and rules that there are', () => {
  const [scrape, rules] = blocks.filter(({ language }) => language === 'yaml').map(({ text }) => parse(text));
  expect(scrape.scrape_configs).toHaveLength(1);
  const questions = [
    ...rules.groups[0].rules.map(({ expr }: { expr: string }) => expr),
    ...[...GUIDE.matchAll(/\| `([^`]*advertisex_[^`]*)` \|/g)].map(([, question]) => question),
  ];
  expect(questions.length).toBeGreaterThan(12);
  const labels = new Set<string>(['job', 'le', ...Object.values(METRICS).flatMap((metric) => metric.labels as readonly string[])]);
  for (const question of questions as string[]) {
    for (const [name] of question.matchAll(/\badvertisex_\w+/g)) {
      const metric =
        (METRICS as Record<string, { type: string }>)[name] ?? (METRICS as Record<string, { type: string }>)[name.replace(/_(bucket|sum|count)$/, '')];
      expect(metric, name).toBeDefined();
      expect(/_(bucket|sum|count)$/.test(name), name).toBe(metric?.type === 'histogram');
    }
    for (const [, label = ''] of question.matchAll(/(\w+)(?:=~|!=|=)"/g)) expect(labels, question).toContain(label);
    for (const [, rule = ''] of question.matchAll(/rule!?="(\w+)"/g)) expect(Object.keys(ALERT_RULES)).toContain(rule);
  }
});
