import { describe, expect, it } from 'vitest';
import type { Batch, CommittedBatch, ConflictingRecord } from '../batches/batch.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { BatchQueue } from './batch-queue.ts';

const NONE = { received: 0, accepted: 0, duplicate: 0, quarantined: 0 };

/** One chunk of a source. */
function batchOf(source: string, more: Partial<Batch> = {}): Batch {
  const chunk = { feed: 'ad-impressions' as const, source, receivedAtMicros: 0, firstPosition: 0, nextPosition: 1, received: 1, quarantined: 0 };
  return {
    cause: 'late',
    chunks: [{ ...chunk, resumePoints: [], segments: [], refusals: new Map(), eventLag: undefined }],
    files: [],
    stagingDirectory: '/nowhere',
    readRaw: async (records) =>
      records.map(({ position }) => ({ raw: Buffer.from(`${source} ${position}`), encoding: 'json', delimiter: ',', contractVersion: '1' })),
    ...more,
  };
}

/** A queue whose batches end when the test says so; `applied` has the sources of each. */
function makeQueue(fails: (batch: Batch) => unknown = () => undefined) {
  const applied: string[][] = [];
  const ends: (() => void)[] = [];
  const queue = new BatchQueue(async (batch): Promise<CommittedBatch> => {
    applied.push(batch.chunks.map(({ source }) => source));
    const batchId = applied.length;
    await new Promise<void>((resolve) => ends.push(resolve));
    const failure = fails(batch);
    if (failure !== undefined) throw failure;
    return { batchId, outcomes: NONE, bySource: new Map(), restated: 0 };
  });
  /** Ends what runs at the moment, and lets the queue go on. */
  const end = async () => {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, applied, end };
}

describe('the queue of batches', () => {
  it('runs one at a time, and puts together what came meanwhile', async () => {
    const { queue, applied, end } = makeQueue();
    const ids = Promise.all(['a', 'b', 'c'].map(async (source) => (await queue.apply(batchOf(source))).batchId));
    expect(applied).toEqual([['a']]);
    await end();
    expect(applied).toEqual([['a'], ['b', 'c']]);
    await end();
    expect(await ids).toEqual([1, 2, 2]);
  });

  it('keeps apart what has other causes, or commits more than its rows', async () => {
    const { queue, applied, end } = makeQueue();
    const all = [
      batchOf('a'),
      batchOf('b'),
      batchOf('c', { cause: 'reference' }),
      batchOf('d', { cause: 'replay', replays: ['1'] }),
      batchOf('e', { cause: 'replay', replays: ['2'] }),
      batchOf('f', { alsoCommit: async () => undefined }),
      batchOf('g'),
    ].map((batch) => queue.apply(batch));
    for (let i = 0; i < 6; i++) await end();
    await Promise.all(all);
    expect(applied).toEqual([['a'], ['b', 'g'], ['c'], ['d'], ['e'], ['f']]);
  });

  it('runs other work between batches, in its turn', async () => {
    const { queue, applied, end } = makeQueue();
    const first = queue.apply(batchOf('a'));
    const seen = queue.alone(async () => applied.length);
    const other = queue.apply(batchOf('b', { cause: 'reference' }));
    await end();
    expect(await seen).toBe(1);
    await end();
    await Promise.all([first, other]);
    await expect(queue.alone(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await queue.alone(async () => 'goes on')).toBe('goes on');
  });

  it('tells only those of a batch that failed who are the cause of it', async () => {
    const isBad = ({ chunks }: Batch) => (chunks.some(({ source }) => source === 'bad') ? new Error('bad') : undefined);
    const { queue, applied, end } = makeQueue(isBad);
    const settled = Promise.allSettled(['a', 'b', 'bad', 'c'].map((source) => queue.apply(batchOf(source))));
    for (let i = 0; i < 5; i++) await end();
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(applied).toEqual([['a'], ['b', 'bad', 'c'], ['b'], ['bad'], ['c']]);
  });

  it('tries nothing again that was interrupted', async () => {
    const { queue, applied, end } = makeQueue(() => new AdvertiseXError('interrupted', 'stop', 'go on'));
    const settled = Promise.allSettled(['a', 'b', 'c'].map((source) => queue.apply(batchOf(source))));
    for (let i = 0; i < 2; i++) await end();
    expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
    expect(applied).toHaveLength(2);
  });

  it('ends once all that was asked for is done, and takes no more', async () => {
    const { queue, applied, end } = makeQueue();
    const done = Promise.all([queue.apply(batchOf('a')), queue.apply(batchOf('b', { cause: 'reference' })), queue.alone(async () => undefined)]);
    let isClosed = false;
    const closing = queue.close().then(() => {
      isClosed = true;
    });
    await expect(queue.apply(batchOf('late'))).rejects.toMatchObject({ code: 'interrupted' });
    await expect(queue.alone(async () => undefined)).rejects.toMatchObject({ code: 'interrupted' });
    await end();
    expect(isClosed).toBe(false);
    await end();
    await Promise.all([done, closing]);
    expect(applied).toEqual([['a'], ['b']]);
  });

  it('goes on whatever a listener does', async () => {
    const { queue, applied, end } = makeQueue();
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    queue.onCommitted(() => {
      throw new Error('a listener');
    });
    for (const source of ['a', 'b']) {
      const done = queue.apply(batchOf(source));
      await end();
      await done;
    }
    expect(applied).toEqual([['a'], ['b']]);
    expect((await warned).message).toBe('a listener');
  });

  it('asks each source for the bytes of its own records', async () => {
    const raw: string[] = [];
    const queue = new BatchQueue(async ({ chunks, readRaw }) => {
      const conflicts = chunks.map(({ feed, source }, position): ConflictingRecord => ({ feed, source, position, receivedAtMicros: 0, eventKey: '' }));
      for (const record of await readRaw(conflicts.reverse())) raw.push(Buffer.from(record.raw).toString());
      return { batchId: 1, outcomes: NONE, bySource: new Map(), restated: 0 };
    });
    await Promise.all(['a', 'b', 'c'].map((source) => queue.apply(batchOf(source))));
    expect(raw).toEqual(['a 0', 'c 1', 'b 0']);
  });

  it('tells listeners of batches that other work commits, too', async () => {
    const { queue } = makeQueue();
    const heard: number[] = [];
    queue.onCommitted(({ batchId }) => heard.push(batchId));
    await queue.applyBy(batchOf('a', { cause: 'retention' }), async () => ({ batchId: 7, outcomes: NONE, bySource: new Map(), restated: 0 }));
    await expect(queue.applyBy(batchOf('a'), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(heard).toEqual([7]);
  });

  it('tells listeners of what is committed, and of nothing else', async () => {
    const { queue, end } = makeQueue(({ cause }) => (cause === 'reference' ? new Error('bad') : undefined));
    const heard: string[] = [];
    const leave = queue.onCommitted((_committed, { chunks }) => heard.push(...chunks.map(({ source }) => source)));
    const all = [queue.apply(batchOf('a')), queue.apply(batchOf('b', { cause: 'reference' })), queue.apply(batchOf('c'))];
    const settled = Promise.allSettled(all);
    for (let i = 0; i < 3; i++) await end();
    await settled;
    leave();
    const last = queue.apply(batchOf('d'));
    await end();
    await last;
    expect(heard).toEqual(['a', 'c']);
  });
});
