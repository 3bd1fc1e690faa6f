import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** A process that goes on when the one that started it ends. */
export interface DetachedProcess {
  readonly pid: number;
  /** What tells it from a later process with the same number, where the system says: when it began. */
  readonly began: string | undefined;
}

export interface CommandToStart {
  readonly program: string;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What it prints is added to this file. */
  readonly log: string;
}

export async function startDetached({ program, words, environment, log }: CommandToStart): Promise<DetachedProcess> {
  const output = openSync(log, 'a', 0o600);
  try {
    const child = spawn(program, words, { detached: true, stdio: ['ignore', output, output], env: { ...process.env, ...environment } });
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid as number;
    return { pid, began: stateOf(pid)?.began };
  } finally {
    closeSync(output);
  }
}

export function isAlive({ pid, began }: DetachedProcess): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const state = stateOf(pid);
  // One that has ended stays in the list of the system until somebody asks how.
  return state === undefined || (state.began === began && state.letter !== 'Z');
}

/** Until it is gone; one that takes longer than that is killed. */
export async function endProcess(running: DetachedProcess, signal: NodeJS.Signals, graceMillis: number): Promise<void> {
  if (!isAlive(running)) return;
  process.kill(running.pid, signal);
  for (const until = performance.now() + graceMillis; isAlive(running); await wait(20)) {
    if (performance.now() < until) continue;
    process.kill(running.pid, 'SIGKILL');
    break;
  }
  while (isAlive(running)) await wait(20);
}

/** The last lines of a file, for a message. */
export function endOfFile(path: string, lines = 15): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

/** From `/proc`, where there is one: the letter of its state, and the tick of the clock that it began at. */
function stateOf(pid: number): { readonly letter: string; readonly began: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { letter: fields[0] as string, began: fields[19] as string };
  } catch {
    return undefined;
  }
}
