import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SendOrder, Sent } from './sender.ts';
import type { Watched } from './watcher.ts';

export interface RunningServer {
  readonly url: string;
  readonly child: ChildProcess;
}

const PROGRAM = join(import.meta.dirname, '../../bin/advertisex.js');

/** `advertisex up` on a data directory, once it listens; the lake is not what is measured. */
export async function startUp(data: string): Promise<RunningServer> {
  const child = spawn(process.execPath, [PROGRAM, 'up', '--port', '0', '--data', data], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ADVERTISEX_LAKE_AFTER_INGEST: 'false', ADVERTISEX_LAKE_EVERY_SECONDS: '0' },
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-20_000);
      const found = /http:\/\/\S+?(?=\/v1)/.exec(said);
      if (found !== null) resolve(found[0]);
    });
    child.once('exit', () => reject(new Error(said)));
  });
  return { url, child };
}

export async function startBare(): Promise<RunningServer> {
  const child = forkScript('bare-server.ts');
  const [url] = (await once(child, 'message')) as [string];
  return { url, child };
}

/** Until what it took is committed. */
export async function stopServer({ child }: RunningServer): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

export async function runSender(order: SendOrder): Promise<Sent> {
  const child = forkScript('sender.ts');
  child.send(order);
  return answerOf<Sent>(child);
}

/** Watches while the work is done. */
export async function watchWhile<T>(url: string, work: () => Promise<T>): Promise<readonly [T, Watched]> {
  const child = forkScript('watcher.ts');
  child.send(url);
  const done = await work();
  const watched = answerOf<Watched>(child);
  child.send('stop');
  return [done, await watched];
}

/** Most memory that was resident at once; Linux only. */
export function peakRssBytes({ child }: RunningServer): number {
  return 1_024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
}

/** User and system time of the process so far; Linux only. */
export function cpuSeconds({ child }: RunningServer): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Of Linux on every processor that Node.js runs on. */
const TICKS_A_SECOND = 100;

/** What it sends; it is an error if it ends without. */
function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as Answer));
    child.once('exit', (code) => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}`)));
  });
}

function forkScript(name: string): ChildProcess {
  return fork(join(import.meta.dirname, name), { execArgv: ['--no-warnings'] });
}
