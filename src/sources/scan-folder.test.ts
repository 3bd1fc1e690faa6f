import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { scanFolder } from './scan-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-scan-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  }
}
const names = async (pattern?: string) => (await scanFolder(folder, pattern)).files.map(({ name }) => name);

it('finds files at any depth, and passes over names of what is not finished', async () => {
  put('b.csv', 'a/c.json.gz', 'template.csv', 'day.tmp.csv.gz/x.csv');
  put('.hidden', '_SUCCESS', '_temporary/0/part-0', 'x.csv.tmp', 'x.part', 'x.csv.crdownload', 'x.filepart', 'x~', '.x.csv.Ab12', 'x.csv._COPYING_', 'x.swp');
  expect(await names()).toEqual(['a/c.json.gz', 'b.csv', 'template.csv']);
  expect(await names('*.csv')).toEqual(['b.csv', 'template.csv']);
  expect(await names('**/*.gz')).toEqual(['a/c.json.gz']);
});

it('follows links, but not in circles, and tells what it cannot look at', async () => {
  put('real/a.csv', 'shut/b.csv');
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  symlinkSync(folder, join(folder, 'real/up'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'broken'));
  expect(await names()).toEqual(['link/a.csv', 'real/a.csv', 'shut/b.csv']);
  if (process.getuid?.() === 0) return;
  chmodSync(join(folder, 'shut'), 0);
  const { files, problems } = await scanFolder(folder);
  chmodSync(join(folder, 'shut'), 0o700);
  expect(files.length).toBe(2);
  expect(problems).toEqual([expect.stringContaining('shut cannot be looked at')]);
});

it('throws where the folder is not there', async () => {
  await expect(scanFolder(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
