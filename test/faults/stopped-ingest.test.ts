import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingestFiles } from '../../src/app/ingest-files.ts';
import { openInstance } from '../../src/app/instance.ts';
import { compareTables, type Tables } from '../properties/compare-tables.ts';
import { expectFailure, holds, run, start } from './command-line.ts';
import { brokenEquations, readEveryTable } from './every-table.ts';
import { BYTES_FOR_WORKERS, writeImpressions } from './large-day.ts';
import { instanceOptions, withInstance } from './open-instance.ts';

/** Ctrl-C and termination: a message, exit 3 within a second or two, and the same command goes on. */
const folder = mkdtempSync(join(tmpdir(), 'advertisex-stopped-'));
const SMALL_BATCHES = { ADVERTISEX_LIMITS_BATCH_RECORDS: '3000', ADVERTISEX_LAKE_AFTER_INGEST: 'false' };
const events = join(folder, 'events');
const few = join(folder, 'few.jsonl');
let undisturbed: Tables;

beforeAll(async () => {
  mkdirSync(events);
  writeImpressions(join(events, 'a.jsonl'), 0, 5_000);
  writeImpressions(join(events, 'b.jsonl'), 4_000, 14_000);
  expect(statSync(join(events, 'a.jsonl')).size + statSync(join(events, 'b.jsonl')).size).toBeGreaterThan(BYTES_FOR_WORKERS);
  writeImpressions(few, 0, 100);
  await withInstance(join(folder, 'undisturbed'), {}, async (instance) => {
    await ingestFiles(instance, [{ feed: 'ad-impressions', paths: [events] }]);
    undisturbed = figures(await readEveryTable(instance));
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

function figures(tables: Tables): Tables {
  return Object.fromEntries(Object.entries(tables).filter(([name]) => !name.startsWith('ops.')));
}

describe('a signal during an ingest', () => {
  it.each([
    ['SIGINT', 0],
    ['SIGTERM', 500],
    ['SIGINT', 1_200],
  ] as const)('%s after %i ms ends it soon, and what was committed stays', async (signal, after) => {
    const data = join(folder, `${signal}-${after}`);
    const words = ['ingest', 'ad-impressions', events, '--data', data];
    const running = start(words, SMALL_BATCHES);
    await holds(running, data);
    await pause(after);
    running.child.kill(signal);
    const asked = performance.now();
    const ended = await running.ended;
    const seconds = (performance.now() - asked) / 1_000;
    // Where it was done by then there is nothing to stop; the early ones never are.
    if (ended.status === 0) expect(after).toBeGreaterThan(1_000);
    else expectFailure(ended, 3, 'interrupted', /Stopped\. What was committed stays\.\nNext: Run the same command again/);
    // Two seconds on a machine of one's own; a test runs beside others.
    expect(seconds).toBeLessThan(8);
    expect(readdirSync(data).filter((name) => !name.startsWith('advertisex.duckdb'))).toEqual([]);

    expect(await run(words, SMALL_BATCHES)).toMatchObject({ status: 0 });
    await withInstance(data, { access: 'read' }, async (instance) => {
      expect(compareTables(undisturbed, figures(await readEveryTable(instance)), ['batch_id', 'received_at', 'source', 'position'])).toBeNull();
      expect(await brokenEquations(instance)).toEqual([]);
    });
  });

  it('ends the wait for standard input', async () => {
    const data = join(folder, 'waiting');
    const running = start(['ingest', 'ad-impressions', '-', '--data', data]);
    await holds(running, data);
    running.child.kill('SIGTERM');
    expectFailure(await running.ended, 3, 'interrupted', /Stopped/);
  });

  it('that comes twice ends it at once', async () => {
    const data = join(folder, 'twice');
    const running = start(['ingest', 'ad-impressions', '-', '--data', data]);
    await holds(running, data);
    running.child.kill('SIGINT');
    running.child.kill('SIGINT');
    const { status, signal } = await running.ended;
    expect([3, 130]).toContain(status);
    expect(signal).toBeNull();
    expect(await run(['ingest', 'ad-impressions', few, '--data', data])).toMatchObject({ status: 0 });
  });
});

describe('an abort', () => {
  // In this process, to hit places that last too short a time to be hit from outside.
  it.each(['looking', 'identify/suspects', 'gold/campaign_hourly', 'books', 'commit', 'committed'])('at %s stops there, before another step', async (place) => {
    const stopping = new AbortController();
    const seen: string[] = [];
    const instance = await openInstance({
      ...instanceOptions(join(folder, `abort-${place.replace('/', '-')}`), { batchRecords: 60 }),
      signal: stopping.signal,
      onStep: (step) => {
        seen.push(step);
        if (step === place) stopping.abort();
      },
    });
    try {
      const requests = [{ feed: 'ad-impressions' as const, paths: [events] }];
      const onProgress = ({ stage }: { readonly stage: string }) => void (stage === place && stopping.abort());
      await expect(ingestFiles(instance, requests, onProgress)).rejects.toMatchObject({
        code: 'interrupted',
        remedy: expect.stringContaining('same command again'),
      });
      expect(seen.at(-1)).toBe(place === 'looking' ? undefined : place);
      const [books] = await instance.engine.rows('select count(*) as batches from ops.batches');
      expect(books).toEqual({ batches: place === 'committed' ? 1n : 0n });
    } finally {
      await instance.close();
    }
  });

  it('during the first reading of the files does not wait for its end', async () => {
    const huge = makeHugeFile();
    const stopping = new AbortController();
    const instance = await openInstance({ ...instanceOptions(join(folder, 'hashing')), signal: stopping.signal });
    try {
      const ingest = ingestFiles(instance, [{ feed: 'ad-impressions', paths: [huge] }]);
      setTimeout(() => stopping.abort(), 300);
      await expect(ingest).rejects.toMatchObject({ code: 'interrupted' });
    } finally {
      await instance.close();
      rmSync(huge);
    }
  }, 20_000);

  it('finds files committed by then whose successors are still read for the first time', async () => {
    const huge = makeHugeFile();
    const stopping = new AbortController();
    const instance = await openInstance({
      ...instanceOptions(join(folder, 'hashing-on'), { batchRecords: 1_000, workers: 2 }),
      signal: stopping.signal,
      onStep: (step) => void (step === 'committed' && stopping.abort()),
    });
    try {
      await expect(ingestFiles(instance, [{ feed: 'ad-impressions', paths: [events, huge] }])).rejects.toMatchObject({ code: 'interrupted' });
      expect(await instance.engine.rows('select count(*) as batches from ops.batches')).toEqual([{ batches: 1n }]);
    } finally {
      await instance.close();
      rmSync(huge);
    }
  }, 20_000);
});

/** Large, and quickly made: a file with a hole. */
function makeHugeFile(): string {
  const huge = join(folder, 'huge.jsonl');
  writeFileSync(huge, '');
  truncateSync(huge, 40_000_000_000);
  return huge;
}
