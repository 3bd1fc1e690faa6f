import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readTokenFile } from '../../src/server/token-file.ts';
import { AccessControl } from '../../src/server/tokens.ts';
import { run } from '../faults/command-line.ts';
import { startUp, stopUp } from '../live/running-up.ts';
import { readBlocks } from './guide-blocks.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/guides/take-records-as-they-come.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'advertisex-guide-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('sends what the guide sends, and makes tokens as the guide makes them', async () => {
  const [, ...blocks] = readBlocks(GUIDE).map(({ text }) => text);
  const data = join(folder, 'data');
  const up = await startUp(data);
  const answers = blocks.map((text) =>
    execFileSync('bash', ['-euo', 'pipefail', '-c', text.replaceAll('http://127.0.0.1:8480', up.url)], { cwd: folder, encoding: 'utf8' }),
  );
  expect(answers.slice(0, 3).map((answer) => JSON.parse(answer))).toEqual([
    expect.objectContaining({ received: 2, accepted: 2 }),
    expect.objectContaining({ received: 1, accepted: 1 }),
    { ready: true, reasons: [] },
  ]);
  await stopUp(up);
  const { stdout } = await run(['query', 'select count(*) as n from silver.events', '--format', 'json', '--data', data]);
  expect(JSON.parse(stdout)).toEqual([{ n: 3 }]);
  const tokens = readTokenFile(join(folder, 'tokens.txt'));
  expect(tokens.map(({ roles }) => roles)).toEqual([['ingest']]);
  expect(new AccessControl(tokens).isOpen).toBe(false);
});
