import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readTokenFile } from './token-file.ts';
import { hashOfToken } from './tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'advertisex-tokens-'));
const path = join(folder, 'tokens');
afterAll(() => rmSync(folder, { recursive: true }));
const read = (text: string) => {
  writeFileSync(path, text);
  return readTokenFile(path);
};
const [one, two] = [hashOfToken('one'), hashOfToken('two').toUpperCase()];

it('gives a token a line, with its roles', () => {
  expect(read(`# who sends\ningest ${one}\n\n  read,admin\t${two}   # the dashboard\r\n`)).toEqual([
    { sha256: one, roles: ['ingest'] },
    { sha256: two, roles: ['read', 'admin'] },
  ]);
  expect(read('')).toEqual([]);
});

it.each([`ingest`, `${one}`, `root ${one}`, `ingest, read ${one}`, `ingest ${one.slice(1)}`, `ingest ${one} more`, `ingest secret`])(
  'refuses a line that says something else, and does not repeat it: %s',
  (line) => {
    expect(() => read(`# first\n${line}\n`)).toThrow(expect.objectContaining({ code: 'config_invalid', message: expect.stringMatching(/line 2: not roles/) }));
    expect(() => read(`# first\n${line}\n`)).not.toThrow(/[0-9a-f]{20}|secret/);
  },
);

it('says which file cannot be read', () => {
  expect(() => readTokenFile(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining('none') }));
});
