import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Life } from '../../src/app/chaos/fault-plan.ts';
import { type ChaosResult, runChaos } from '../../src/app/chaos/run-chaos.ts';
import { RandomStream } from '../../src/generate/random-stream.ts';
import { expectFailure, run } from '../faults/command-line.ts';
import { SHIPPED_CONTRACTS } from '../faults/open-instance.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-chaos-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Killed twice, in the middle of it all. */
function chaosWith(fault: string): Promise<ChaosResult> {
  const data = join(folder, fault);
  mkdirSync(data);
  const life: Life = { logFault: undefined, end: { how: 'running', afterMillis: 2_500 }, pauses: [], random: new RandomStream('broken', 'life') };
  const lives: Iterator<Life, never> = { next: () => ({ value: life, done: false }) };
  return runChaos({
    ...{ data, lives, kills: 2, seed: 'broken', seconds: undefined },
    program: [join(import.meta.dirname, 'broken-up.ts'), fault],
    contracts: SHIPPED_CONTRACTS,
    environment: process.env,
    recordsPerSecond: 2_000,
    connections: 12,
    nowMicros: () => Date.now() * 1_000,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
}

describe('chaos finds', () => {
  it('records that were acknowledged and are in no table: which, of what feed, and when that was', async () => {
    const { holds, findings, takenTwice } = await chaosWith('loses');
    expect(holds).toBe(false);
    const missing = findings.filter(({ finding }) => finding === 'missing');
    expect(missing.length).toBeGreaterThan(0);
    for (const { number, feed, answeredAtMicros, life } of missing) {
      expect({ number, feed, life }).toEqual({ number: expect.any(Number), feed: expect.stringMatching(/^[a-z-]+$/), life: expect.any(Number) });
      expect(answeredAtMicros).toBeGreaterThan(0);
    }
    expect(findings.filter(({ finding }) => finding === 'doubled')).toEqual([]);
    expect(takenTwice).toEqual([]);
  });

  it('records that were taken twice: by the books, and by the number where they were refused', async () => {
    const { holds, findings, takenTwice } = await chaosWith('doubles');
    expect(holds).toBe(false);
    expect(takenTwice.length).toBeGreaterThan(0);
    for (const { duplicates, sentAgain } of takenTwice) expect(duplicates).toBeGreaterThan(sentAgain);
    expect(findings.filter(({ finding }) => finding === 'doubled').length).toBeGreaterThan(0);
    expect(findings.filter(({ finding }) => finding === 'missing')).toEqual([]);
  });
});

describe('the command', () => {
  it('finds nothing wrong, says what it did as JSON, and leaves nothing behind', async () => {
    const before = readdirSync(tmpdir());
    const { status, stdout, stderr } = await run(['chaos', '--kills', '3', '--seed', 'ok', '--format', 'json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^Seed ok\. Data: /) });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ seed: 'ok', holds: true, findings: [], taken_twice: [], strange: [], broken_equations: [], data: null });
    expect(result.records.acknowledged).toBeGreaterThan(0);
    const data = /Data: (\S+)/.exec(stderr)?.[1] as string;
    expect(before).not.toContain(data);
    expect(existsSync(data)).toBe(false);
  });

  it('never touches data that is there', async () => {
    const data = join(folder, 'mine');
    mkdirSync(data);
    writeFileSync(join(data, 'advertisex.duckdb'), '');
    expectFailure(await run(['chaos', '--data', data]), 2, 'usage', /is not empty/);
    expect(readdirSync(data)).toEqual(['advertisex.duckdb']);
  });
});
