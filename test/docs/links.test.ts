import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

it('every link between pages leads somewhere', () => {
  const links = pages().flatMap((page) => linksOf(page).map((target) => ({ page, target })));
  expect(links.length).toBeGreaterThan(40);
  expect(links.filter(({ page, target }) => !leadsSomewhere(page, target)).map(({ page, target }) => `${relative(ROOT, page)} → ${target}`)).toEqual([]);
});

it('the checker sees links that lead nowhere', () => {
  const page = join(ROOT, 'docs/architecture.md');
  expect(leadsSomewhere(page, '../README.md')).toBe(true);
  expect(leadsSomewhere(page, '#the-tree')).toBe(true);
  expect(leadsSomewhere(page, '#no-such-heading')).toBe(false);
  expect(leadsSomewhere(page, 'no-such-page.md')).toBe(false);
});

function pages(): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const below = ['docs', 'bench', 'contracts', 'test'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return [...top, ...below.filter((name) => name.endsWith('.md'))].map((name) => join(ROOT, name));
}

function linksOf(page: string): string[] {
  const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '').filter((target) => !/^(https?|mailto):/.test(target));
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(file)) return false;
  if (anchor === undefined || statSync(file).isDirectory()) return anchor === undefined;
  const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
  return headings.some(
    (heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-') === anchor,
  );
}
