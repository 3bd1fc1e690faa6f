import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openLog } from '../../src/collector/log/open-log.ts';
import { fillingOf, killedLogOptions } from './collector/append-until-killed.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-killed-log-'));
const log = join(folder, 'log');
afterAll(() => rmSync(folder, { recursive: true }));

/** Appends until it has acknowledged so many, then is killed, as hard as there is: what it said it had taken. */
async function appendUntilKilled(acknowledgements: number, from: number): Promise<[position: number, number: number][]> {
  const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'collector/append-until-killed.ts'), log, `${from}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > acknowledgements) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  const lines = said.split('\n').slice(0, -1);
  return lines.map((line) => line.split(' ').map(Number) as [number, number]);
}

it('holds every entry that it acknowledged, however often the process is killed', async () => {
  const acknowledged = new Map<number, number>();
  for (const [kill, acknowledgements] of [1, 40, 300, 7].entries()) {
    for (const [position, number] of await appendUntilKilled(acknowledgements, kill * 1_000_000)) {
      expect(acknowledged.has(position)).toBe(false);
      acknowledged.set(position, number);
    }
    const damages: unknown[] = [];
    const opened = await openLog(killedLogOptions(log, (damage) => damages.push(damage)));
    const read = new Map<number, number>();
    for await (const { position, entry } of opened.read(0)) {
      const [number = '', filling] = Buffer.from(entry.body).toString().split(' ');
      expect(filling).toBe(fillingOf(Number(number)));
      read.set(position, Number(number));
    }
    expect([...read.keys()]).toEqual(Array.from({ length: read.size }, (_, position) => position));
    for (const [position, number] of acknowledged) expect(read.get(position)).toBe(number);
    expect(damages.every((damage) => (damage as { kind: string }).kind === 'cut')).toBe(true);
    await opened.close();
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(348);
  expect(readdirSync(log).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(4);
});
