import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chapters, readCases } from './read-cases.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Rule {
  readonly number: string;
  readonly heldBy: string;
}

const rules: readonly Rule[] = [...readFileSync(join(ROOT, 'SPEC.md'), 'utf8').matchAll(/^\| (\d+\.\d+) \| .+? \| (.+) \|$/gm)].map((row) => ({
  number: row[1]!,
  heldBy: row[2]!,
}));
const cases = chapters().flatMap((chapter) => readCases(chapter).map(({ title }) => title.split(' ')[0]!));

test('every golden case has its rule in SPEC.md, and every rule that claims golden cases has one', () => {
  expect(rules.length).toBeGreaterThan(50);
  const claimed = rules.filter(({ heldBy }) => heldBy.startsWith('G')).map(({ number }) => number);
  expect([...new Set(cases)].sort()).toEqual(claimed.toSorted());
});

test('every rule is held by something, and every test that it names is there', () => {
  for (const { number, heldBy } of rules) {
    expect(heldBy, number).toMatch(/^(G|P|\[)/);
    for (const [, path] of heldBy.matchAll(/\]\(([^)]+)\)/g)) expect(existsSync(join(ROOT, path!)), `${number}: ${path}`).toBe(true);
    for (const [, path, title] of heldBy.matchAll(/\]\(([^)]+)\) “([^”]+)”/g))
      expect(readFileSync(join(ROOT, path!), 'utf8').includes(title!), `${number}: “${title}” in ${path}`).toBe(true);
  }
});
