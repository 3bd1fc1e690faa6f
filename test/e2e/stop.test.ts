import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const EVENTS = '60000';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-stop-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(['SIGINT', 'SIGTERM'] as const)('%s ends the work at a safe place, and the same command goes on', async (signal) => {
  const data = join(folder, signal);
  const words = [MAIN, 'demo', '--events', EVENTS, '--data', data];
  const child = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  // The process has the data, and is at work on it.
  while (!existsSync(join(data, 'owner.json')) && child.exitCode === null) await pause(5);
  child.kill(signal);
  expect(await ended, stderr).toBe(3);
  expect(stderr).toMatch(/Error: Stopped\. What was committed stays\.\nNext: Run the same command again.*\[interrupted\]\n$/);

  const again = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
  expect(again.status, again.stderr).toBe(0);
  const [, holding, all] = /Reconciled: (\d+) of (\d+) equations hold/.exec(again.stderr) ?? [];
  expect(holding).toBe(all);
});

it('a second process is told who holds the data', async () => {
  const data = join(folder, 'held');
  const holder = spawn(process.execPath, [MAIN, 'ingest', 'users', '-', '--data', data], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => holder.on('close', resolve));
  while (!existsSync(join(data, 'owner.json')) && holder.exitCode === null) await pause(5);
  const second = spawnSync(process.execPath, [MAIN, 'ingest', 'users', MAIN, '--data', data], { cwd: folder, encoding: 'utf8' });
  expect(second.status).toBe(3);
  expect(second.stderr).toMatch(new RegExp(`^Error: .*${holder.pid}.*\\nNext: .*\\[data_locked\\]\\n$`));
  holder.stdin.end('user_id\nann\n');
  expect(await ended).toBe(0);
});
