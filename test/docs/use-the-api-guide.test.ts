import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { eventually } from '../live/open-small-live.ts';
import { startUp, stopUp } from '../live/running-up.ts';
import { readBlocks } from './guide-blocks.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/use-the-api.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('asks what the guide asks, and gets what it says', async () => {
  const [, send, ...blocks] = readBlocks(GUIDE).map(({ text }) => text);
  const up = await startUp(join(folder, 'data'));
  const run = (text: string) =>
    execFileSync('bash', ['-euo', 'pipefail', '-c', text.replaceAll('http://127.0.0.1:8480', up.url)], {
      cwd: folder,
      encoding: 'utf8',
      // The guide's `node` is the one that runs AdvertiseX.
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` },
    });
  expect(JSON.parse(run(send as string))).toMatchObject({ received: 3, accepted: 2 });
  const count = async () => ((await (await fetch(`${up.url}/v1/batches`)).json()) as { rows: unknown[] }).rows.length;
  await eventually(async () => (await count()) === 1);
  const [report, query, csv, pages, again, refused, replay, ...more] = blocks as [string, string, string, string, string, string, string, ...string[]];
  expect(more).toEqual([]);
  expect(JSON.parse(run(report))).toMatchObject({ as_of: 1, rows: [{ campaign_id: 'spring', clicks: 1, value_micros: 12_500_000 }] });
  expect(JSON.parse(run(query))).toMatchObject({ rows: [['spring', 1]], more: false });
  run(csv);
  expect(readFileSync(join(folder, 'clicks.csv'), 'utf8')).toMatch(/^event_key,.*\r\n.*,spring,.*\r\n$/s);
  expect(JSON.parse(run(pages))).toMatchObject({ rows: [{ batch_id: 1, received: 3 }], next: null });
  expect(run(again)).toBe('304\n');
  expect(JSON.parse(run(refused))).toMatchObject({ rows: [{ code: 'bad_timestamp', path: '/timestamp' }] });
  expect(JSON.parse(run(replay))).toMatchObject({ replayed: 1, accepted: 0, still_quarantined: 1 });
  await stopUp(up);
});
