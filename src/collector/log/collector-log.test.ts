import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../../test/collector/memory-files.ts';
import { entryOf, openSmallLog, readAll, readBodies } from '../../../test/collector/small-log.ts';

describe('an append', () => {
  it('is read back with all that is needed to decode it', async () => {
    const { log } = await openSmallLog(new MemoryFiles());
    const entry = entryOf(new Uint8Array([0, 255, 10]), {
      feed: 'clicks-conversions',
      encoding: 'csv',
      delimiter: '\t',
      receivedAtMicros: 1_767_225_600_123_456,
    });
    expect(await log.append(entry)).toBe(0);
    expect(await readAll(log.read(0))).toEqual([{ position: 0, entry }]);
  });

  it('is not acknowledged, and not read, before it is on disk', async () => {
    const files = new MemoryFiles();
    const { log } = await openSmallLog(files);
    await log.append(entryOf('first'));
    let release = () => {};
    files.beforeSync = () => new Promise((resolve) => (release = resolve));
    let acknowledged = false;
    const append = log.append(entryOf('second')).then(() => (acknowledged = true));
    await turns();
    expect(acknowledged).toBe(false);
    expect(await readBodies(log)).toEqual([[0, 'first']]);
    release();
    await append;
    expect(await readBodies(log)).toEqual([
      [0, 'first'],
      [1, 'second'],
    ]);
  });

  it('shares a sync with those that wait beside it', async () => {
    const files = new MemoryFiles();
    const { log } = await openSmallLog(files, { segmentBytes: 100_000 });
    const first = log.append(entryOf('0'));
    await turns();
    files.calls.length = 0;
    await Promise.all([first, ...Array.from({ length: 64 }, (_, index) => log.append(entryOf(`${index + 1}`)))]);
    expect(files.calls.filter((call) => call === 'write' || call === 'sync')).toEqual(['write', 'sync']);
    const syncs: Promise<void>[] = [];
    files.beforeSync = () => {
      const sync = turns();
      syncs.push(sync);
      return sync;
    };
    await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        if (index > 0) await turns(1);
        await log.append(entryOf('later'));
      }),
    );
    expect(syncs.length).toBe(2);
    expect((await readBodies(log)).map(([position]) => position)).toEqual(Array.from({ length: 129 }, (_, position) => position));
  });

  it('is refused while too much waits, and where it is too large', async () => {
    const { log } = await openSmallLog(new MemoryFiles(), { maxWaitingBytes: 1_000, maxEntryBytes: 2_000 });
    const [taken, refused] = await Promise.allSettled([log.append(entryOf('x'.repeat(1_500))), log.append(entryOf('y'))]);
    expect(taken).toMatchObject({ status: 'fulfilled', value: 0 });
    expect(refused).toMatchObject({ reason: { code: 'log_busy' } });
    await expect(log.append(entryOf('x'.repeat(2_000)))).rejects.toMatchObject({ code: 'log_entry_too_large' });
    expect(log.waitingBytes).toBe(0);
    expect(await log.append(entryOf('z'))).toBe(1);
  });

  it('is refused once the log is closed, which waits for those before', async () => {
    const { log } = await openSmallLog(new MemoryFiles());
    const before = log.append(entryOf('before'));
    const closed = log.close();
    await expect(log.append(entryOf('after'))).rejects.toMatchObject({ code: 'log_failed' });
    await closed;
    expect(await before).toBe(0);
    await log.close();
  });
});

describe('segments', () => {
  it('end at a size, and hold one larger entry alone', async () => {
    const files = new MemoryFiles();
    const { log } = await openSmallLog(files);
    const bodies = ['a'.repeat(400), 'b'.repeat(400), 'c'.repeat(3_000), 'd'];
    await Promise.all(bodies.map((body) => log.append(entryOf(body))));
    expect(files.paths.map((path) => Number(path.slice(5, 21)))).toEqual([0, 1, 2, 3]);
    expect(files.paths.every((path) => /^\/log\/\d{16}-[0-9a-f]{16}\.log$/.test(path))).toBe(true);
    expect(await readBodies(log)).toEqual(bodies.map((body, index) => [index, body]));
  });

  it('end at an age', async () => {
    const files = new MemoryFiles();
    let now = 0;
    const { log } = await openSmallLog(files, { nowMicros: () => now });
    for (now of [0, 59_999_999, 60_000_000, 61_000_000]) await log.append(entryOf('x'));
    expect(files.paths.map((path) => Number(path.slice(5, 21)))).toEqual([0, 2]);
  });

  it('are never written again: each opening begins its own', async () => {
    const files = new MemoryFiles();
    for (const body of ['a', 'b']) {
      const { log } = await openSmallLog(files);
      await log.append(entryOf(body));
      await log.close();
    }
    await openSmallLog(files);
    expect(files.paths.map((path) => Number(path.slice(5, 21)))).toEqual([0, 1]);
  });

  it('are dropped whole, once all in them is committed, but for the last', async () => {
    const files = new MemoryFiles();
    const { log } = await openSmallLog(files);
    for (const body of ['a', 'b', 'c']) {
      await log.append(entryOf(body.repeat(400)));
      await log.append(entryOf(body.repeat(400)));
    }
    const reading = log.read(0);
    await reading.next();
    await log.dropBefore(3);
    expect(files.paths.length).toBe(3);
    expect((await readBodies(log)).map(([position]) => position)).toEqual([3, 4, 5]);
    expect((await readAll(reading)).map(({ position }) => position)).toEqual([3, 4, 5]);
    await log.dropBefore(100);
    expect(files.paths.length).toBe(1);
    await log.close();
    const { log: again } = await openSmallLog(files);
    expect(again.nextPosition).toBe(6);
  });

  it('of a later version are refused', async () => {
    const files = new MemoryFiles();
    const { log } = await openSmallLog(files);
    await log.append(entryOf('a'));
    const [path = ''] = files.paths;
    const later = Buffer.from(files.content(path));
    later.writeUInt32LE(2, 8);
    later.writeUInt32LE(crc32(later.subarray(0, 28)), 28);
    files.put(path, later);
    await expect(openSmallLog(files)).rejects.toMatchObject({ code: 'data_version' });
    expect(files.content(path)).toEqual(later);
  });
});

it('reads from any position, however large the segment, in pieces', async () => {
  const files = new MemoryFiles();
  const { log } = await openSmallLog(files, { segmentBytes: 100_000_000, maxEntryBytes: 1_000_000, maxWaitingBytes: 100_000_000 });
  const large = 'x'.repeat(300_000);
  await Promise.all(Array.from({ length: 40 }, (_, index) => log.append(entryOf(`${index} ${large}`))));
  await log.close();
  const { log: again } = await openSmallLog(files);
  for (const from of [0, 1, 17, 38, 39, 40]) {
    const bodies = await readBodies(again, from);
    expect(bodies.map(([position, body]) => [position, body.split(' ')[0]])).toEqual(
      Array.from({ length: 40 - from }, (_, index) => [from + index, `${from + index}`]),
    );
  }
  files.calls.length = 0;
  await readBodies(again, 39);
  // Not all 12 MB to find the last one.
  expect(files.calls.filter((call) => call === 'read').length).toBeLessThan(20);
});

it('does not give a number again that was committed, whatever the disk has lost', async () => {
  const { log } = await openSmallLog(new MemoryFiles(), { committed: 7 });
  expect(await log.append(entryOf('a'))).toBe(7);
  expect(await readBodies(log, 7)).toEqual([[7, 'a']]);
});

/** Lets everything run that waits for no one else. */
async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
