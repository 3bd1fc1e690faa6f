import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { A_DELIVERY } from './take-until-killed.ts';

export interface Kill {
  /** By itself, before the so manieth step of this name; else from outside, after so many milliseconds of taking. */
  readonly step?: string;
  readonly occurrence?: number;
  readonly afterMilliseconds?: number;
}

/** Takes records until it is killed: the numbers of what it acknowledged. */
export async function takeUntilKilled(data: string, from: number, { step = '', occurrence = 0, afterMilliseconds }: Kill, archive = ''): Promise<number[]> {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'take-until-killed.ts'), data, `${from}`, step, `${occurrence}`, archive], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said === '' && afterMilliseconds !== undefined) void wait(afterMilliseconds).then(() => child.kill('SIGKILL'));
    said += text;
  });
  // A step that never comes is a failure, not a wait.
  const tooLong = setTimeout(() => child.kill('SIGTERM'), 60_000);
  const [, signal] = await once(child, 'close');
  clearTimeout(tooLong);
  expect(signal).toBe('SIGKILL');
  return said
    .split('\n')
    .slice(0, -1)
    .flatMap((first) => Array.from({ length: A_DELIVERY }, (_, index) => Number(first) + index));
}
