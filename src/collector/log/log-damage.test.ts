import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../../test/collector/memory-files.ts';
import { entryOf, openSmallLog, readBodies } from '../../../test/collector/small-log.ts';
import { SEGMENT_HEAD_BYTES } from './log-segment.ts';

/** Every byte and every bit of a log is many logs, on a machine that may be busy. */
const PATIENCE = { timeout: 300_000 };
const BODIES = ['first', '', 'third\n', 'fourth'];

/** A log of one segment, and where its entries begin and end. */
async function wholeLog() {
  const files = new MemoryFiles();
  const { log } = await openSmallLog(files);
  const ends = [SEGMENT_HEAD_BYTES];
  for (const body of BODIES) {
    await log.append(entryOf(body));
    ends.push(files.content(files.paths[0] as string).length);
  }
  const path = files.paths[0] as string;
  return { path, bytes: Buffer.from(files.content(path)), ends };
}

const numbered = BODIES.map((body, index) => [index, body] as const);

describe('the last segment', () => {
  it('is cut behind its last whole entry, wherever it ends', PATIENCE, async () => {
    const { path, bytes, ends } = await wholeLog();
    for (let cut = 0; cut <= bytes.length; cut++) {
      const files = new MemoryFiles();
      files.put(path, bytes.subarray(0, cut));
      const { log, damages } = await openSmallLog(files);
      const whole = ends.findLastIndex((end) => end <= cut);
      const kept = whole < 0 ? 0 : (ends[whole] as number);
      expect(await readBodies(log)).toEqual(numbered.slice(0, Math.max(whole, 0)));
      expect(files.content(path).length).toBe(kept);
      expect(damages).toMatchObject(kept === cut ? [] : [{ kind: 'cut', segment: path, offset: kept, bytes: cut - kept, sequence: Math.max(whole, 0) }]);
      if (kept < cut) expect(files.content(damages[0]?.setAside as string)).toEqual(bytes.subarray(kept, cut));
      expect(await log.append(entryOf('next'))).toBe(Math.max(whole, 0));
      // What was cut is cut for good.
      const after = await openSmallLog(files.afterPowerLoss(0));
      expect(await readBodies(after.log)).toEqual([...numbered.slice(0, Math.max(whole, 0)), [Math.max(whole, 0), 'next']]);
      expect(after.damages).toEqual([]);
    }
  });

  it('is cut where zeros begin, which nobody keeps', async () => {
    const { path, bytes, ends } = await wholeLog();
    for (const zeros of [1, 39, 40, 5_000, 600_000]) {
      const files = new MemoryFiles();
      files.put(path, Buffer.concat([bytes, Buffer.alloc(zeros)]));
      const { log, damages } = await openSmallLog(files);
      expect(damages).toMatchObject([{ kind: 'cut', offset: ends.at(-1), bytes: zeros, setAside: undefined }]);
      expect(await readBodies(log)).toEqual(numbered);
      expect(files.paths).toEqual([path]);
    }
  });

  it('loses one entry to one bit, and says so', PATIENCE, async () => {
    const { path, bytes, ends } = await wholeLog();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const files = new MemoryFiles();
      files.put(path, flipped(bytes, bit));
      const { log, damages } = await openSmallLog(files);
      const lost = ends.findIndex((end) => bit >> 3 < end) - 1;
      expect(await readBodies(log)).toEqual(numbered.filter(([index]) => index !== lost));
      const offset = lost < 0 ? 0 : (ends[lost] as number);
      const end = lost < 0 ? SEGMENT_HEAD_BYTES : (ends[lost + 1] as number);
      const kind = lost === BODIES.length - 1 ? 'cut' : 'damaged';
      expect(damages).toMatchObject([{ kind, segment: path, offset, bytes: end - offset, sequence: Math.max(lost, 0) }]);
      expect(damages[0]?.nextSequence).toBe(kind === 'cut' ? undefined : lost + 1);
      expect(files.content(damages[0]?.setAside as string)).toEqual(flipped(bytes, bit).subarray(offset, end));
    }
  });
});

describe('an earlier segment', () => {
  it('loses one entry to one bit, and says so once, when it is read', PATIENCE, async () => {
    const { path, bytes, ends } = await wholeLog();
    const whole = new MemoryFiles();
    whole.put(path, bytes);
    const { log: writer } = await openSmallLog(whole);
    await writer.append(entryOf('fifth'));
    const all = [...numbered, [4, 'fifth'] as const];
    const later = whole.paths[1] as string;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const files = new MemoryFiles();
      files.put(later, whole.content(later));
      files.put(path, flipped(bytes, bit));
      const { log, damages } = await openSmallLog(files);
      const lost = ends.findIndex((end) => bit >> 3 < end) - 1;
      for (let reading = 0; reading < 2; reading++) expect(await readBodies(log)).toEqual(all.filter(([index]) => index !== lost));
      expect(damages).toMatchObject([{ kind: 'damaged', segment: path, sequence: Math.max(lost, 0), nextSequence: lost + 1 }]);
      expect(files.content(path)).toEqual(flipped(bytes, bit));
      expect(files.content(damages[0]?.setAside as string).length).toBe(damages[0]?.bytes);
    }
  });

  it('that is shorter than it was, or gone, is missed', async () => {
    const { path, bytes, ends } = await wholeLog();
    const files = new MemoryFiles();
    files.put(path, bytes);
    for (const body of ['e', 'f']) {
      const { log } = await openSmallLog(files);
      await log.append(entryOf(body));
    }
    files.put(path, bytes.subarray(0, ends[2]));
    await files.remove(files.paths[1] as string);
    const { log, damages } = await openSmallLog(files);
    expect(await readBodies(log)).toEqual([...numbered.slice(0, 2), [5, 'f']]);
    expect(damages).toMatchObject([{ kind: 'missing', segment: path, offset: ends[2], bytes: 0, sequence: 2, nextSequence: 5 }]);
  });
});

it('a stretch of damage over several entries is set aside once, and what is behind it is found', async () => {
  const { path, bytes, ends } = await wholeLog();
  const files = new MemoryFiles();
  const damaged = Buffer.from(bytes);
  damaged.fill(0xee, (ends[0] as number) + 3, (ends[2] as number) + 11);
  files.put(path, damaged);
  for (let opening = 0; opening < 2; opening++) {
    const { log, damages } = await openSmallLog(files);
    expect(damages).toMatchObject([{ kind: 'damaged', offset: ends[0], sequence: 0, nextSequence: 3 }]);
    expect(await readBodies(log)).toEqual([[3, 'fourth']]);
    expect(files.paths.length).toBe(2);
  }
});

it('a body that is itself a piece of a log is not taken for entries of this one', async () => {
  const { bytes } = await wholeLog();
  const files = new MemoryFiles();
  const { log: writer } = await openSmallLog(files, { segmentBytes: 100_000 });
  await writer.append(entryOf(bytes));
  await writer.append(entryOf('after'));
  const [path = ''] = files.paths;
  const damaged = Buffer.from(files.content(path));
  damaged[SEGMENT_HEAD_BYTES + 20] = 0xff;
  files.put(path, damaged);
  const { log } = await openSmallLog(files);
  expect(await readBodies(log)).toEqual([[1, 'after']]);
});

it('an entry that stands again where a later one was is not read twice', async () => {
  const files = new MemoryFiles();
  const { log: writer } = await openSmallLog(files);
  for (const body of ['a', 'b', 'c', 'd']) await writer.append(entryOf(body));
  const [path = ''] = files.paths;
  const bytes = files.content(path);
  const entryBytes = (bytes.length - SEGMENT_HEAD_BYTES) / 4;
  const misplaced = Buffer.from(bytes);
  bytes.copy(misplaced, SEGMENT_HEAD_BYTES + 2 * entryBytes, SEGMENT_HEAD_BYTES, SEGMENT_HEAD_BYTES + entryBytes);
  files.put(path, misplaced);
  const { log, damages } = await openSmallLog(files);
  expect(await readBodies(log)).toEqual([
    [0, 'a'],
    [1, 'b'],
    [3, 'd'],
  ]);
  expect(damages).toMatchObject([{ kind: 'damaged', bytes: entryBytes, sequence: 2, nextSequence: 3 }]);
});

it('an empty segment that was left beside the one that took its place does no harm', async () => {
  const files = new MemoryFiles();
  const { log: writer } = await openSmallLog(files);
  for (const body of ['a', 'b']) await writer.append(entryOf(body));
  const [path = ''] = files.paths;
  const both = new MemoryFiles();
  const left = `/log/${'0'.repeat(16)}-${'f'.repeat(16)}.log`;
  for (const [name, bytes] of [[path, files.content(path)] as const, [left, Buffer.alloc(0)] as const]) both.put(name, bytes);
  const { log, damages } = await openSmallLog(both);
  expect(await log.append(entryOf('c'))).toBe(2);
  expect((await readBodies(log)).map(([, body]) => body)).toEqual(['a', 'b', 'c']);
  expect(damages).toEqual([]);
  await log.dropBefore(2);
  expect(both.paths.length).toBe(1);
});

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}
