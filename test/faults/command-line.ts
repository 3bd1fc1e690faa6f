import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts the real program, with its own process and workers. Settings are given as their variables. */
export function start(words: readonly string[], settings: Readonly<Record<string, string>> = {}, options: { readonly cwd?: string } = {}): Running {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ADVERTISEX_')));
  const child = spawn(process.execPath, ['--no-warnings', MAIN, ...words], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...environment, ...settings, NO_COLOR: '1' },
    ...options,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // Who is killed reads no more.
  child.stdin.on('error', () => undefined);
  return {
    child,
    ended: new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }))),
  };
}

export function run(words: readonly string[], settings: Readonly<Record<string, string>> = {}, options: { readonly cwd?: string } = {}): Promise<Ended> {
  const running = start(words, settings, options);
  running.child.stdin?.end();
  return running.ended;
}

/** Resolves once the process holds the data, or has ended. */
export async function holds(running: Running, data: string): Promise<void> {
  while (!existsSync(join(data, 'owner.json')) && running.child.exitCode === null && running.child.signalCode === null) await pause(5);
}

/** What every failure looks like: its exit code, the message, what to do next, the code, and no stack. */
export function expectFailure({ status, stderr, stdout }: Ended, exit: 2 | 3, code: string, message: RegExp): void {
  expect({ status, stdout, stderr }).toEqual({ status: exit, stdout: '', stderr: expect.stringMatching(message) });
  expect(stderr).toMatch(new RegExp(`(^|\\n)Error: [^]+\\nNext: [A-Z].+\\[${code}\\]\\n$`));
  expect(stderr).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  expect(stderr).not.toMatch(/Unexpected error|undefined|\[object/);
}
