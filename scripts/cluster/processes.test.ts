import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endOfFile, endProcess, isAlive, startDetached } from './processes.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-processes-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const startNode = (script: string) => startDetached({ program: process.execPath, words: ['-e', script], log: join(folder, 'log') });

it('a process is alive until it ends, and what it says is in its log', async () => {
  const running = await startNode('console.log("said"); setInterval(() => {}, 1000)');
  expect(isAlive(running)).toBe(true);
  await expect.poll(() => endOfFile(join(folder, 'log'))).toMatch(/said$/);
  await endProcess(running, 'SIGTERM', 10_000);
  expect(isAlive(running)).toBe(false);
  await endProcess(running, 'SIGTERM', 10_000);
});

it('one that does not go is killed', async () => {
  const running = await startNode('process.on("SIGTERM", () => {}); console.log("deaf"); setInterval(() => {}, 1000)');
  await expect.poll(() => endOfFile(join(folder, 'log'))).toMatch(/deaf$/);
  await endProcess(running, 'SIGTERM', 100);
  expect(isAlive(running)).toBe(false);
});

it.runIf(process.platform === 'linux')('a later process with the same number is another one', () => {
  expect(isAlive({ pid: process.pid, began: '1' })).toBe(false);
});

it('a program that is not there is told', async () => {
  await expect(startDetached({ program: 'no-such-program', words: [], log: join(folder, 'log') })).rejects.toThrow(/no-such-program/);
});
