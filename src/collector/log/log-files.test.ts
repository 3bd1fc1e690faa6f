import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { entryOf, openSmallLog, readBodies } from '../../../test/collector/small-log.ts';
import { NODE_LOG_FILES } from './log-files.ts';

const root = mkdtempSync(join(tmpdir(), 'advertisex-log-'));
afterAll(() => rmSync(root, { recursive: true }));

it('a log on real files takes thousands of entries at once, is cut, read and dropped', async () => {
  const folder = join(root, 'not', 'there', 'yet');
  const options = { folder, segmentBytes: 200_000 };
  const bodies = Array.from({ length: 5_000 }, (_, index) => (index % 3 === 0 ? '' : `${index}`));
  const { log } = await openSmallLog(NODE_LOG_FILES, options);
  expect(await Promise.all(bodies.map((body) => log.append(entryOf(body))))).toEqual([...bodies.keys()]);
  await log.close();

  const segments = readdirSync(folder).sort();
  expect(segments.length).toBeGreaterThan(2);
  appendFileSync(join(folder, segments.at(-1) as string), 'torn');
  const { log: again, damages } = await openSmallLog(NODE_LOG_FILES, options);
  expect(damages).toMatchObject([{ kind: 'cut', bytes: 4 }]);
  expect(await readBodies(again)).toEqual(bodies.map((body, index) => [index, body]));
  await again.dropBefore(again.nextPosition);
  expect(readdirSync(folder).sort()).toEqual([segments.at(-1), expect.stringContaining('.damaged')]);
  await again.close();
});

it('a folder that cannot be used is said with what to do', async () => {
  const file = join(root, 'file');
  appendFileSync(file, '');
  await expect(openSmallLog(NODE_LOG_FILES, { folder: join(file, 'log') })).rejects.toMatchObject({
    code: 'log_failed',
    remedy: expect.stringContaining('folder'),
  });
});
