import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LOG_FAULTS } from '../../src/app/chaos/fault-plan.ts';
import { run } from '../faults/command-line.ts';
import { readBlocks } from './guide-blocks.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/try-to-break-it.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-break-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

const wordsOf = (line: string) => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '').slice(1);

it('its examples do what they say, with fewer kills', async () => {
  const lines = readBlocks(GUIDE).flatMap(({ text }) => text.trim().split('\n'));
  expect(lines.length).toBe(5);
  for (const line of lines) {
    const short = line
      .replace(/--kills \d+/, '--kills 2')
      .replace('--seconds 30', '--seconds 5')
      .replace(/chaos$/, 'chaos --kills 2');
    const { status, stdout, stderr } = await run(wordsOf(short), {}, { cwd: folder });
    expect(status, `${short}\n${stdout}\n${stderr}`).toBe(0);
    expect(stdout).not.toBe('');
  }
});

it('it tells of every fault of the log', () => {
  for (const fault of LOG_FAULTS) expect(GUIDE).toContain(`\`${fault}\``);
});
