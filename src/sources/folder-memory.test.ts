import { describe, expect, it } from 'vitest';
import { FolderMemory } from './folder-memory.ts';
import type { FolderFile } from './scan-folder.ts';

const DAY_MS = 86_400_000;
const file = (name: string, { bytes = 10, modifiedMs = 1_000, inode = 1 } = {}): FolderFile => ({
  path: `/in/${name}`,
  name,
  bytes,
  modifiedMs,
  fingerprint: `${bytes} ${modifiedMs} ${inode}`,
});
const names = (files: readonly FolderFile[]) => files.map(({ name }) => name);

describe('a file is complete', () => {
  it('once it has not changed for the quiet time, however often it did before', () => {
    const memory = new FolderMemory(5_000);
    const wall = DAY_MS;
    const growing = (bytes: number) => file('a', { bytes, modifiedMs: wall + bytes });
    memory.look([growing(1)], 0, wall);
    memory.look([growing(2)], 4_900, wall);
    memory.look([growing(2)], 5_100, wall);
    expect([names(memory.complete()), memory.msUntilNext()]).toEqual([[], 4_800]);
    memory.look([growing(2)], 9_900, wall);
    expect(names(memory.complete())).toEqual(['a']);
  });

  it('at a second look, where its own time is old: it was moved here when it was done', () => {
    const memory = new FolderMemory(5_000);
    memory.look([file('moved')], 0, DAY_MS);
    expect([names(memory.complete()), memory.msUntilNext()]).toEqual([[], 500]);
    memory.look([file('moved')], 500, DAY_MS + 500);
    expect(names(memory.complete())).toEqual(['moved']);
  });

  it('is not, by its old time alone, while it is written to by somebody whose clock is wrong', () => {
    const memory = new FolderMemory(5_000);
    for (let look = 0; look < 20; look++) {
      memory.look([file('a', { bytes: look })], look * 400, DAY_MS);
      expect(memory.complete()).toEqual([]);
    }
  });

  it('at once, where files are only moved in', () => {
    const memory = new FolderMemory(0);
    memory.look([file('b', { modifiedMs: 5 }), file('a', { modifiedMs: 9 })], 0, 9);
    expect(names(memory.complete())).toEqual(['b', 'a']);
  });
});

describe('a file that is settled', () => {
  it('is not looked at again until it changes, or is gone and comes back', () => {
    const memory = new FolderMemory(0);
    memory.look([file('a')], 0, 0);
    memory.settle(file('a'));
    memory.look([file('a')], 1, 1);
    expect([memory.complete(), memory.msUntilNext(), memory.count('taken')]).toEqual([[], undefined, 1]);
    memory.look([file('a', { inode: 2 })], 2, 2);
    expect(names(memory.complete())).toEqual(['a']);
    memory.settle(file('a', { inode: 2 }));
    memory.look([], 3, 3);
    memory.look([file('a', { inode: 2 })], 4, 4);
    expect(names(memory.complete())).toEqual(['a']);
  });

  it('says that it has grown, also where it grew while it was taken', () => {
    const memory = new FolderMemory(0);
    memory.look([file('a'), file('b')], 0, 0);
    memory.settle(file('a'));
    expect(memory.hasGrown(file('a'))).toBe(false);
    memory.look([file('a', { bytes: 11 }), file('b', { bytes: 11 })], 1, 1);
    memory.settle(file('b'));
    expect([memory.hasGrown(file('a')), memory.hasGrown(file('b'))]).toEqual([true, true]);
    memory.look([file('a', { bytes: 12 })], 2, 2);
    expect(memory.hasGrown(file('a'))).toBe(true);
    memory.settle(file('a', { bytes: 12 }));
    expect(memory.hasGrown(file('a'))).toBe(false);
  });
});

describe('a file that was refused', () => {
  it('is looked at anew once it changes, or is gone and comes back, and before that again and again, up to once an hour', () => {
    const memory = new FolderMemory(0);
    memory.look([file('a')], 0, 0);
    memory.refuse(file('a'), 0);
    expect([memory.complete(), memory.msUntilNext(), memory.count('refused')]).toEqual([[], 10_000, 1]);
    memory.look([file('a')], 10_000, 10_000);
    expect([names(memory.complete()), memory.has('/in/a', 'refused')]).toEqual([['a'], true]);
    for (let again = 0; again < 20; again++) memory.refuse(file('a'), 10_000);
    expect(memory.msUntilNext()).toBe(3_600_000);
    memory.look([file('a', { inode: 2 })], 10_001, 10_001);
    expect([names(memory.complete()), memory.count('refused')]).toEqual([['a'], 0]);
    memory.refuse(file('a', { inode: 2 }), 10_001);
    memory.look([], 10_002, 10_002);
    memory.look([file('a', { inode: 2 })], 10_003, 10_003);
    expect(names(memory.complete())).toEqual(['a']);
  });

  it('comes after the others, and waits anew for somebody who has it in hand', () => {
    const memory = new FolderMemory(0);
    const [old, young] = [file('old'), file('young', { modifiedMs: 2_000 })];
    memory.look([old, young], 0, 0);
    expect(names(memory.complete())).toEqual(['old', 'young']);
    memory.refuse(old, 0);
    memory.look([old, young], 10_000, 10_000);
    expect(names(memory.complete())).toEqual(['young', 'old']);
    memory.hold(old, 10_000, 'hash');
    memory.settle(young);
    expect([memory.msUntilNext(), memory.count('refused')]).toEqual([1_000, 0]);
  });
});

describe('a file that somebody else has in hand', () => {
  it('is left alone, each time for twice as long, half a minute at most', () => {
    const memory = new FolderMemory(0);
    const waits: (number | undefined)[] = [];
    let nowMs = 0;
    for (let look = 0; look < 8; look++) {
      memory.look([file('a')], nowMs, nowMs);
      expect(names(memory.complete())).toEqual(['a']);
      memory.hold(file('a'), nowMs, 'hash');
      waits.push(memory.msUntilNext());
      nowMs += (memory.msUntilNext() ?? 0) - 1;
      memory.look([file('a')], nowMs, nowMs);
      expect([memory.complete(), memory.count('present'), memory.isHeldUp]).toEqual([[], 1, true]);
      nowMs++;
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is known by its hash until it changes, and then looked at anew', () => {
    const memory = new FolderMemory(0);
    memory.look([file('a')], 0, 0);
    memory.hold(file('a', { inode: 2 }), 0, 'hash of another');
    expect([memory.hashOf(file('a')), memory.isHeldUp]).toEqual([undefined, false]);
    memory.hold(file('a'), 0, 'hash');
    expect([memory.hashOf(file('a')), memory.hashOf(file('a', { inode: 2 }))]).toEqual(['hash', undefined]);
    memory.look([file('a', { inode: 2 })], 1, 1);
    expect([names(memory.complete()), memory.hashOf(file('a', { inode: 2 })), memory.isHeldUp]).toEqual([['a'], undefined, false]);
  });
});
