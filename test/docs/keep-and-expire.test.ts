import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { run } from '../faults/command-line.ts';
import { startUp, stopUp } from '../live/running-up.ts';
import { readBlocks } from './guide-blocks.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/keep-and-expire.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-keep-'));
afterAll(() => rmSync(folder, { recursive: true }));

const DAY = 86_400_000;
/** Each with a user who is in the future of nobody. */
const impression = (daysAgo: number) => ({
  creative_id: 'k',
  user_id: `u${daysAgo}`,
  website: 'w.example',
  campaign_id: 'c',
  timestamp: new Date(Date.now() - daysAgo * DAY).toISOString(),
});

it('keeps, expires and rebuilds as the guide says', async () => {
  const blocks = readBlocks(GUIDE);
  const [settings] = blocks.filter(({ language }) => language === 'yaml');
  const config = join(folder, 'advertisex.yaml');
  writeFileSync(config, settings?.text ?? '');
  const up = await startUp(join(folder, 'advertisex-data'), {}, ['--config', config]);
  const body = [1, 30, 70, 80].map((daysAgo) => `${JSON.stringify(impression(daysAgo))}\n`).join('');
  const answer = await fetch(`${up.url}/v1/events/ad-impressions`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${body}not json\n`,
  });
  expect(await answer.json()).toMatchObject({ received: 5 });
  await stopUp(up);

  const lines = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.trim().split('\n'))
    .map((line) => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((word) => word[1] ?? word[2] ?? '').slice(1));
  const answers: { line: string; stdout: string }[] = [];
  for (const words of lines) {
    const { status, stdout, stderr } = await run([...words, '--format', 'json'], {}, { cwd: folder });
    expect({ words, status, stderr: status === 0 ? '' : stderr }).toEqual({ words, status: 0, stderr: '' });
    answers.push({ line: words.join(' '), stdout });
  }
  const said = (start: string) => JSON.parse(answers.find(({ line }) => line.startsWith(start))?.stdout ?? 'null');
  expect(said('rebuild')).toMatchObject({ outcomes: { received: 5, accepted: 4, duplicate: 0, quarantined: 1 } });
  expect(said('expire --dry-run')).toEqual([expect.objectContaining({ table: 'impressions', rows: 2, days: 2 })]);
  expect(said('expire')).toEqual(said('expire --dry-run'));
  expect(said('query')).toEqual([
    expect.objectContaining({ table_name: 'impressions', rows: 1 }),
    expect.objectContaining({ table_name: 'impressions', rows: 1 }),
  ]);
  expect(said('status')).toMatchObject({ retention: [{ table_name: 'impressions' }] });
  for (const [data, impressions] of [
    ['advertisex-data', 2],
    ['rebuilt', 4],
  ]) {
    const { status } = await run(['recon', '--data', String(data)], {}, { cwd: folder });
    expect([data, status]).toEqual([data, 0]);
    const { stdout } = await run(['query', 'select count(*) as n from silver.impressions', '--format', 'json', '--data', String(data)], {}, { cwd: folder });
    expect(JSON.parse(stdout)).toEqual([{ n: impressions }]);
  }
});
