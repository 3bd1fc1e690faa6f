import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compactInstance } from '../../src/app/compact.ts';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { type Instance, openInstance } from '../../src/app/instance.ts';
import type { OutcomeCounts } from '../../src/batches/batch.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { loadContracts } from '../../src/contracts/load-contract.ts';

/** The bug this hunts: an event that came once is not found again, because it lies in a run whose filter does not point at it, or where nobody looks. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-runs-'));
let instance: Instance;
let files = 0;

beforeAll(async () => {
  instance = await openInstance({
    dataDirectory: join(folder, 'data'),
    settings: settingsSchema.parse({ limits: { workers: 1, threads: 1, memory: '500MB' } }),
    contracts: await loadContracts(join(import.meta.dirname, '../../contracts')),
    access: 'write',
    command: 'test',
    nowMicros: () => Date.UTC(2026, 0, 3) * 1000,
    runSizes: { runEvents: 400, filteredEvents: 300 },
  });
});
afterAll(async () => {
  await instance.close();
  rmSync(folder, { recursive: true });
});

/** Impressions of the given numbers. */
async function take(numbers: readonly number[], website = 'a.example'): Promise<OutcomeCounts> {
  const path = join(folder, `${++files}.jsonl`);
  const lines = numbers.map((number) =>
    JSON.stringify({ impression_id: `i${number}`, creative_id: 'c', user_id: `u${number}`, timestamp: '2026-01-02T03:04:05Z', website }),
  );
  writeFileSync(path, `${lines.join('\n')}\n`);
  return (await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [path] }])).outcomes;
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

async function runs(): Promise<string> {
  const rows = await instance.engine.rows<{ run: bigint; events: bigint }>('select run, count(*) as events from store.identities group by run order by run');
  const filtered = await instance.engine.rows<{ run: bigint; events: bigint }>(
    'select run, cast(sum(len(fingerprints)) as bigint) as events from store.key_filters group by run order by run',
  );
  return `${rows.map(({ run, events }) => `${run}: ${events}`).join(', ')}; filtered ${filtered.map(({ run, events }) => `${run}: ${events}`).join(', ')}`;
}

describe('identities stand in runs', () => {
  it('that small batches fill, and the next small batch gives a complete one its filter', async () => {
    for (let from = 0; from < 1_000; from += 100) expect(await take(numbers(from, from + 100))).toMatchObject({ accepted: 100 });
    expect(await runs()).toBe('1: 400, 2: 400, 3: 200; filtered 1: 400, 2: 400');
  });

  it('that a large batch completes alone', async () => {
    expect(await take(numbers(1_000, 1_500))).toMatchObject({ accepted: 500 });
    expect(await runs()).toBe('1: 400, 2: 400, 3: 700; filtered 1: 400, 2: 400');
    expect(await take(numbers(1_500, 1_600))).toMatchObject({ accepted: 100 });
    expect(await runs()).toBe('1: 400, 2: 400, 3: 700, 4: 100; filtered 1: 400, 2: 400, 3: 700');
  });

  it('and what comes again is known in each of them, to a small batch', async () => {
    const again = [...numbers(0, 40), ...numbers(450, 490), ...numbers(1_200, 1_240), ...numbers(1_550, 1_590)];
    expect(await take([...again, ...numbers(2_000, 2_010)])).toMatchObject({ accepted: 10, duplicate: 160, quarantined: 0 });
    expect(await take(again, 'b.example')).toMatchObject({ accepted: 0, duplicate: 0, quarantined: 160 });
  });

  it('as to a large one', async () => {
    expect(await take([...numbers(0, 1_600), ...numbers(3_000, 3_010)])).toMatchObject({ accepted: 10, duplicate: 1_600 });
    expect(await take(numbers(0, 1_600), 'b.example')).toMatchObject({ accepted: 0, quarantined: 1_600 });
  });

  it('whose filters a compaction makes, so that the next small batch has not to', async () => {
    expect(await take(numbers(4_000, 5_000))).toMatchObject({ accepted: 1_000 });
    expect(await runs()).toMatch(/, 4: 1120; filtered 1: 400, 2: 400, 3: 700$/);
    await compactInstance(instance, { fromBatches: 0 });
    const compacted = await runs();
    expect(compacted).toMatch(/, 4: 1120; filtered 1: 400, 2: 400, 3: 700, 4: 1120$/);
    await compactInstance(instance, { fromBatches: 0 });
    expect(await runs()).toBe(compacted);
    expect(await take(numbers(3_990, 4_100))).toMatchObject({ accepted: 10, duplicate: 100 });
  });

  it('one after another: a batch of nothing new adds nothing to them', async () => {
    const before = await runs();
    expect(await take(numbers(0, 5))).toMatchObject({ accepted: 0, duplicate: 5 });
    expect(await runs()).toBe(before);
  });
});
