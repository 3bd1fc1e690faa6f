import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { queryTooLarge } from '../../src/domain/errors.ts';
import { DuckDbEngine } from '../../src/engines/duckdb/duckdb-engine.ts';
import type { ReadResult, ReadStatement, SharedEngine } from '../../src/engines/engine.ts';
import { BesideEngine } from '../../src/engines/remote/beside-engine.ts';
import { BoundedReads, type ReadLimits } from '../../src/engines/remote/bounded-reads.ts';

const MEMORY_MB = 200;
const ENDLESS = 'select range as n from range(1_000_000_000_000)';
const SLOW = 'select count(*) as n from range(1_000_000_000) a, range(1_000_000) b';
const NEVER = new AbortController().signal;
const asked = (sql: string): ReadStatement => ({ sql, parameters: {}, asOf: null, values: 'engine' });

let folder: string;
let engine: DuckDbEngine;
let reads: BoundedReads;

const bound = (limits: Partial<ReadLimits> = {}, shared: SharedEngine = engine): void => {
  reads = new BoundedReads(shared, { limitMs: 60_000, spillBytes: 4_000_000_000, ...limits });
};
const rowsOf = (sql: string): Promise<unknown> => new BesideEngine(reads, new AbortController()).rows(sql);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-bounded-'));
  engine = await DuckDbEngine.open({
    path: join(folder, 'a.duckdb'),
    access: 'write',
    memory: `${MEMORY_MB}MB`,
    threads: 2,
    spillDirectory: join(folder, 'spill'),
    directories: [folder],
  });
  await engine.defineMacros({});
});
afterEach(async () => {
  await reads.close();
  expect(engine.reading).toBe(0);
  await engine.close();
  rmSync(folder, { recursive: true });
});

/** Batches, one after the other, until `work` is over: how many there were. They have to go through, every one. */
async function whileBatchesRun(work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  let batches = 0;
  while (!isOver) {
    await engine.transaction(async () => {
      await engine.run(`create or replace temp table w as select u, count(*) as n, sum(id) as s from store.t where id % 7 = ${batches % 7} group by u`);
      await engine.run('insert into store.t select -n, s, u from w limit 10');
    });
    batches++;
  }
  await over;
  return batches;
}

describe('a statement that needs too much', () => {
  beforeEach(async () => {
    await engine.run("create table store.t as select range as id, hash(range) as h, 'user-' || (range % 50_000) as u from range(500_000)");
  });

  it('is stopped where it puts too much on disk, and batches go on meanwhile', async () => {
    bound({ spillBytes: 100_000_000 });
    const sort = 'select a.id, b.h, a.u from store.t a, (select * from store.t limit 200) b order by b.h, a.h';
    const asking = expect(rowsOf(sort)).rejects.toMatchObject({ code: 'query_too_large', message: expect.stringContaining('100 MB on disk') });
    expect(await whileBatchesRun(asking)).toBeGreaterThan(2);
  });

  it('is stopped where it takes memory that the engine does not count', async () => {
    bound();
    const before = process.memoryUsage.rss();
    let most = 0;
    const looking = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss() - before);
    }, 20);
    // Unbounded it takes some 4 GB, of an engine that may use 200 MB.
    const medians = 'select a.u, median(a.id + b.id) as m from store.t a, (select * from store.t limit 200) b group by a.u';
    const asking = expect(rowsOf(medians)).rejects.toMatchObject({ code: 'query_too_large' });
    await whileBatchesRun(asking);
    clearInterval(looking);
    expect(most / 1_000_000).toBeLessThan(800);
  });

  it('is told so where the engine has no more for it', async () => {
    bound();
    await expect(rowsOf('select list(a.id) as l from store.t a, range(1000) b')).rejects.toMatchObject({
      code: 'query_too_large',
      remedy: expect.stringContaining('Ask for less'),
    });
  });

  it('gives way to a batch that lacks memory', async () => {
    bound();
    const result = await reads.read(asked(ENDLESS), NEVER);
    await result.next();
    await expect(engine.transaction(() => engine.run('create temp table x as select list(range) as l from range(1_000_000_000)'))).rejects.toMatchObject({
      code: 'engine_failed',
    });
    await expect(result.next()).rejects.toMatchObject({ code: 'query_too_large', message: expect.stringContaining('a batch') });
    result.close();
  });

  it('is the one that has been at work the longest', async () => {
    const memory = { limitBytes: 1_000_000_000_000, usedBytes: 0, fixedBytes: 0, spilledBytes: 0 };
    const stopped: string[] = [];
    const waits = (statement: ReadStatement, signal: AbortSignal) =>
      new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => {
          stopped.push(statement.sql);
          memory.spilledBytes = 0;
          reject(signal.reason);
        }),
      );
    bound({ spillBytes: 10, watchEveryMs: 5 }, { memory: async () => memory, read: waits });
    const [first, second] = [reads.read(asked('first'), NEVER), reads.read(asked('second'), NEVER)];
    second.catch(() => undefined);
    await pause(50);
    expect(stopped).toEqual([]);
    memory.spilledBytes = 11;
    await expect(first).rejects.toEqual(queryTooLarge('The query needs more than 0 MB on disk (limits.query_spill)'));
    await pause(50);
    expect(stopped).toEqual(['first']);
  });
});

it('is not held to what was in use when it came', async () => {
  const looked = Promise.withResolvers<void>();
  const memory = async () => {
    looked.resolve();
    return { limitBytes: 100, usedBytes: 0, fixedBytes: 100, spilledBytes: 100 };
  };
  const read = (_: ReadStatement, signal: AbortSignal) =>
    new Promise<ReadResult>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      void looked.promise.then(() => setTimeout(() => resolve({ columns: [], next: async () => undefined, close: () => undefined }), 0));
    });
  bound({ spillBytes: 10, watchEveryMs: 50 }, { memory, read });
  (await reads.read(asked('short'), NEVER)).close();
});

describe('statements of all that ask', () => {
  it('take two calls of the engine at a time at most', async () => {
    let atWork = 0;
    let most = 0;
    const counting = async <T>(work: () => Promise<T>): Promise<T> => {
      most = Math.max(most, ++atWork);
      await pause(1);
      try {
        return await work();
      } finally {
        atWork--;
      }
    };
    bound(
      {},
      {
        memory: () => engine.memory(),
        read: async (statement, signal) => {
          const result = await counting(() => engine.read(statement, signal));
          return { ...result, next: () => counting(result.next) };
        },
      },
    );
    await Promise.all(Array.from({ length: 12 }, () => rowsOf('select range as n from range(5000)')));
    expect(most).toBe(2);
  });

  it('are so many at most, and more are asked to come back', async () => {
    bound({ maxReads: 3 });
    const stop = new AbortController();
    const asking = Array.from({ length: 3 }, () => reads.read(asked(SLOW), stop.signal).catch((error) => error));
    await expect(reads.read(asked('select 1'), NEVER)).rejects.toMatchObject({ code: 'server_busy' });
    stop.abort();
    for (const error of await Promise.all(asking)) expect(error).toMatchObject({ code: 'interrupted' });
    expect(await rowsOf('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it('end after their time, also where nobody takes their rows', async () => {
    bound({ limitMs: 300 });
    await expect(rowsOf(SLOW)).rejects.toMatchObject({ code: 'query_timeout', message: expect.stringContaining('0.3 s') });
    const result = await reads.read(asked(ENDLESS), NEVER);
    await new Promise((resolve) => result.over.addEventListener('abort', resolve));
    expect(result.over.reason).toMatchObject({ code: 'query_timeout' });
    await expect(result.next()).rejects.toMatchObject({ code: 'query_timeout' });
    // Their places are free again: two that wait, and nobody who has them.
    expect(await Promise.all([rowsOf('select 1 as a'), rowsOf('select 2 as a')])).toEqual([[{ a: 1 }], [{ a: 2 }]]);
  });

  it('end with the process', async () => {
    bound();
    const asking = rowsOf(SLOW);
    const ended = expect(asking).rejects.toMatchObject({ code: 'interrupted', message: expect.stringContaining('is ending') });
    await pause(50);
    await reads.close();
    await ended;
    await expect(rowsOf('select 1')).rejects.toMatchObject({ code: 'interrupted' });
  });
});
