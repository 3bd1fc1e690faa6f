import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load-settings.ts';
import { eventually } from '../live/open-small-live.ts';
import { readBlocks } from './guide-blocks.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/take-files-as-they-come.md'), 'utf8');
const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-files-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

const environment = { ...process.env, ADVERTISEX_SERVER_PORT: '0', NO_COLOR: '1' };
/** The same program, whatever is installed. */
const ours = (text: string) => text.replaceAll('npx advertisex', `"${process.execPath}" --no-warnings "${MAIN}"`);
const runBlock = (text: string) =>
  execFileSync('bash', ['-euo', 'pipefail', '-c', ours(text)], { cwd: folder, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

it('takes what the guide takes, by folder, pipe and command', async () => {
  const [watch, put, status, settings, pipe, backlog] = readBlocks(GUIDE).map(({ text }) => text) as [string, string, string, string, string, string];
  const up = spawn('bash', ['-euc', ours(watch).replace(/^"/m, 'exec "')], { cwd: folder, env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => up.once('exit', resolve));
  let said = '';
  up.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await eventually(() => said.includes('Taking records'), 60_000);
  runBlock(put);
  await eventually(() => /incoming\/clicks +idle +1 +1 +0/.test(runBlock(status)), 60_000);
  expect(runBlock(backlog)).toMatch(/march\.jsonl +taken +1 +1/);
  up.kill('SIGTERM');
  expect(await ended).toBe(0);
  runBlock(pipe);
  const events = runBlock("npx advertisex query 'select event_type, user_id from silver.events order by all' --format csv");
  expect(events).toBe('event_type,user_id\r\nclick,u-7\r\nimpression,u-7\r\nimpression,u-9\r\n');

  writeFileSync(join(folder, 'advertisex.yaml'), settings);
  const [clicks, bids] = loadSettings({ path: join(folder, 'advertisex.yaml'), environment: {} }).sources.folders;
  expect(clicks).toEqual({
    feed: 'clicks-conversions',
    path: join(folder, 'incoming/clicks'),
    pattern: '**/*.csv.gz',
    delimiter: ';',
    quiet_seconds: 30,
    after: 'move',
  });
  expect(bids).toEqual({ feed: 'bid-requests', path: '/srv/exports/bids', quiet_seconds: 5, after: 'keep' });
});
