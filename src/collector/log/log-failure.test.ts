import { describe, expect, it } from 'vitest';
import { type FileCall, failure, MemoryFiles } from '../../../test/collector/memory-files.ts';
import { entryOf, openSmallLog, readBodies } from '../../../test/collector/small-log.ts';
import type { LogPosition } from './log-entry.ts';

/** Appends a few entries, some of them at once, over several segments; what was acknowledged, and how what was not was refused. */
async function work(files: MemoryFiles) {
  const acknowledged: [LogPosition, string][] = [];
  const refused: string[] = [];
  const { log } = await openSmallLog(files);
  for (let group = 0; group < 6; group++) {
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        const body = `${group}${name} ${name.repeat(150)}`;
        try {
          acknowledged.push([await log.append(entryOf(body)), body]);
        } catch (error) {
          refused.push((error as { code: string }).code);
        }
      }),
    );
  }
  await log.close();
  acknowledged.sort(([a], [b]) => a - b);
  return { log, acknowledged, refused };
}

async function callsOfWork(): Promise<FileCall[]> {
  const files = new MemoryFiles();
  await work(files);
  return files.calls;
}

/** Lets the calls from one on fail: so many of them. */
function failFrom(files: MemoryFiles, first: number, count: number, code: string): void {
  let seen = 0;
  files.failing = () => (seen++ >= first && seen <= first + count ? failure(code) : undefined);
}

describe.each([
  ['ENOSPC', 'disk_full'],
  ['EDQUOT', 'disk_full'],
  ['EIO', 'log_failed'],
])('%s at any call', (code, expected) => {
  it.each([1, 2, 3, 1_000])('or at %i of them in a row: loses nothing that was acknowledged, now or after a loss of power', async (count) => {
    const calls = await callsOfWork();
    for (let first = 0; first < calls.length; first++) {
      const files = new MemoryFiles();
      failFrom(files, first, count, code);
      const worked = await work(files).catch((error) => {
        expect(error).toMatchObject({ code: expected });
        return undefined;
      });
      files.failing = () => undefined;
      if (worked === undefined) continue;
      const { log, acknowledged, refused } = worked;
      if (refused.length > 0) expect(refused[0]).toBe(expected);
      expect(refused.every((reason) => reason === expected || reason === 'log_failed')).toBe(true);
      expect(await readBodies(log)).toEqual(acknowledged);
      for (const after of [files, ...[0, 1, 2].map((keep) => files.afterPowerLoss(keep))]) {
        const { log: again } = await openSmallLog(after);
        const bodies = await readBodies(again);
        expect(bodies).toEqual(expect.arrayContaining(acknowledged));
        const position = await again.append(entryOf('next'));
        expect(await readBodies(again)).toEqual([...bodies, [position, 'next']]);
      }
    }
  });
});

it.each(['write', 'sync', 'open', 'syncFolder'] as const)('goes on in a new segment once a full disk has room again: %s', async (full) => {
  const files = new MemoryFiles();
  const { log } = await openSmallLog(files);
  await log.append(entryOf('before'));
  failOnce(files, 'write', 'ENOSPC');
  await expect(log.append(entryOf('refused'))).rejects.toMatchObject({ code: 'disk_full' });
  failOnce(files, full, 'ENOSPC');
  const refused = await Promise.allSettled([log.append(entryOf('refused')), log.append(entryOf('with it'))]);
  expect(refused).toMatchObject([{ reason: { code: 'disk_full' } }, { reason: { code: 'disk_full' } }]);
  expect(log.waitingBytes).toBe(0);
  expect(await log.append(entryOf('after'))).toBe(1);
  const expected = [
    [0, 'before'],
    [1, 'after'],
  ];
  expect(await readBodies(log)).toEqual(expected);
  expect(files.paths.length).toBe(2);
  const { log: again, damages } = await openSmallLog(files.afterPowerLoss(0));
  expect(await readBodies(again)).toEqual(expected);
  expect(damages).toEqual([]);
});

it('takes no more where what a full disk left cannot be cut off, until it is opened again', async () => {
  const files = new MemoryFiles();
  const { log } = await openSmallLog(files);
  await log.append(entryOf('before'));
  files.failing = (call) => (call === 'sync' ? failure('ENOSPC') : undefined);
  await expect(log.append(entryOf('refused'))).rejects.toMatchObject({ code: 'disk_full' });
  files.failing = () => undefined;
  await expect(log.append(entryOf('refused'))).rejects.toMatchObject({ code: 'log_failed', cause: { code: 'disk_full' } });
  expect(await readBodies(log)).toEqual([[0, 'before']]);
  const { log: again } = await openSmallLog(files);
  expect(await readBodies(again)).toContainEqual([0, 'before']);
  await again.append(entryOf('after'));
});

it('takes no more after a failed sync, as what it wrote may be lost, and has cut that off', async () => {
  const files = new MemoryFiles();
  const { log } = await openSmallLog(files);
  await log.append(entryOf('before'));
  failOnce(files, 'sync', 'EIO');
  await expect(log.append(entryOf('lost'))).rejects.toMatchObject({ code: 'log_failed' });
  await expect(log.append(entryOf('refused'))).rejects.toMatchObject({ code: 'log_failed' });
  const { log: again, damages } = await openSmallLog(files);
  expect(await again.append(entryOf('after'))).toBe(1);
  expect(await readBodies(again)).toEqual([
    [0, 'before'],
    [1, 'after'],
  ]);
  expect(damages).toEqual([]);
});

it('says so where it cannot be read', async () => {
  const files = new MemoryFiles();
  const { log } = await openSmallLog(files);
  await log.append(entryOf('a'.repeat(900)));
  await log.append(entryOf('b'.repeat(900)));
  for (const failing of ['open', 'read'] as const) {
    files.failing = (call) => (call === failing ? failure('EIO') : undefined);
    await expect(readBodies(log)).rejects.toMatchObject({ code: 'log_failed' });
  }
  files.failing = (call) => (call === 'remove' ? failure('EIO') : undefined);
  await expect(log.dropBefore(1)).rejects.toMatchObject({ code: 'log_failed' });
  files.failing = () => undefined;
  await log.dropBefore(1);
  expect((await readBodies(log)).map(([position]) => position)).toEqual([1]);
});

function failOnce(files: MemoryFiles, failing: FileCall, code: string): void {
  let failed = false;
  files.failing = (call) => {
    if (call !== failing || failed) return undefined;
    failed = true;
    return failure(code);
  };
}
