import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LAYERS, type Layer, PACKAGE_OWNERS, PURE } from './layers.ts';
import { findCycles, type Module, readModule, readModules } from './module-graph.ts';

const ROOT = join(import.meta.dirname, '../..');
const everything = readModules(ROOT, 'src');
const modules = everything.filter((module) => !module.path.endsWith('.test.ts'));

describe('the checker', () => {
  // A checker that cannot read the sources passes on nothing: these hold it to having seen them.
  it('sees the modules and their imports', () => {
    expect(modules.length).toBeGreaterThan(5);
    expect(modules.flatMap((module) => module.imports).length).toBeGreaterThan(modules.length / 2);
    const settings = modules.find((module) => module.path === 'src/config/settings.ts');
    expect(settings?.imports).toContain('src/domain/feeds.ts');
    expect(settings?.packages).toContain('zod');
  });

  it('sees every form of import', () => {
    const source = `
      import { a } from './a.ts'; import type { B } from '../b.ts'; export * from './c.ts'; export type { D } from './d.ts';
      const e = await import('./e.ts'); type F = import('./f.ts').F; new Worker(new URL(\`./g\${extname(here)}\`, import.meta.url)); new URL('../../package.json', import.meta.url);
      import 'node:fs'; import z from '@scope/name/deep'; // import './not.ts'`;
    const module = readModule('src/x/y.ts', source);
    expect([...module.imports].sort()).toEqual(['src/b.ts', ...['a', 'c', 'd', 'e', 'f', 'g'].map((name) => `src/x/${name}.ts`)]);
    expect(module.packages).toEqual(['node:fs', '@scope/name']);
  });

  it('finds cycles', () => {
    const cycle = [readModule('src/a.ts', `import './b.ts'`), readModule('src/b.ts', `import './c.ts'`), readModule('src/c.ts', `import './a.ts'`)];
    expect(findCycles(cycle)).toEqual([['src/a.ts', 'src/b.ts', 'src/c.ts']]);
    expect(findCycles(cycle.slice(0, 2))).toEqual([]);
  });

  it('tells an allowed import from a forbidden one', () => {
    expect(brokenBoundary('src/ingest/a.ts', 'src/domain/feeds.ts')).toBeUndefined();
    expect(brokenBoundary('src/ingest/a.ts', 'src/ingest/b.ts')).toBeUndefined();
    expect(brokenBoundary('src/domain/a.ts', 'src/config/settings.ts')).toBeDefined();
    expect(brokenBoundary('src/ingest/a.ts', 'src/lake/b.ts')).toBeDefined();
    expect(brokenBoundary('src/ingest/a.ts', 'src/engines/duckdb/b.ts')).toBeDefined();
    expect(brokenBoundary('src/engines/spark/a.ts', 'src/engines/duckdb/b.ts')).toBeDefined();
    expect(brokenBoundary('src/cli/a.ts', 'src/engines/duckdb/b.ts')).toBeDefined();
    expect(brokenBoundary('src/elsewhere/a.ts', 'src/domain/feeds.ts')).toBeDefined();
  });
});

describe('the source tree', () => {
  it('imports only what exists', () => {
    expect(everything.flatMap((module) => module.imports.filter((path) => !existsSync(join(ROOT, path))).map((path) => `${module.path} → ${path}`))).toEqual(
      [],
    );
  });

  it('keeps the direction of imports', () => {
    expect(modules.flatMap((module) => module.imports.map((path) => brokenBoundary(module.path, path)).filter((broken) => broken !== undefined))).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(findCycles(modules)).toEqual([]);
  });

  it('keeps each package where it belongs', () => {
    const strays = modules.flatMap((module) =>
      module.packages.filter((name) => PACKAGE_OWNERS[name]?.test(module.path) === false).map((name) => `${module.path} → ${name}`),
    );
    expect(strays).toEqual([]);
    expect(modules.filter((module) => module.path.startsWith('src/domain/') && module.packages.length > 0).map(({ path }) => path)).toEqual([]);
  });

  it('is handed time and randomness', () => {
    const impure = /\b(?:Date\.now|Math\.random|performance\.now|randomUUID|randomBytes)\b|new Date\(\)/;
    expect(impure.test('const id = randomUUID()')).toBe(true);
    expect(modules.filter((module) => PURE.test(module.path) && impure.test(module.code)).map(({ path }) => path)).toEqual([]);
  });

  it('has small kebab-case files at most three folders deep', () => {
    expect(everything.filter(({ path }) => path.split('/').length > 5).map(({ path }) => path)).toEqual([]);
    expect(everything.filter(({ path }) => /\/(utils?|helpers?|common|misc|manager|base)(\/|[.-])/.test(path)).map(({ path }) => path)).toEqual([]);
    const long = everything.filter((module) => module.lines > 400).map((module) => `${module.path}: ${module.lines} lines`);
    if (long.length > 0) console.warn(`Files over 400 lines (is each one thing?):\n  ${long.join('\n  ')}`);
    expect(everything.filter((module) => module.lines > 600).map(({ path }) => path)).toEqual([]);
  });
});

/** What is wrong with an import, or undefined. */
function brokenBoundary(from: string, to: string): string | undefined {
  const fromLayer = layerOf(from);
  const toLayer = layerOf(to);
  if (fromLayer === undefined) return `${from} is in no layer: add its folder to test/architecture/layers.ts`;
  if (toLayer === undefined) return `${to} is in no layer: add its folder to test/architecture/layers.ts`;
  if (!fromLayer.mayImport.includes(toLayer.name)) return `${from} (${fromLayer.name}) imports ${to} (${toLayer.name})`;
  if (fromLayer.foldersApart && fromLayer === toLayer && folderOf(fromLayer, from) !== folderOf(toLayer, to)) {
    return `${from} imports ${to}, its sister: they meet at a type or a table`;
  }
  return undefined;
}

function layerOf(path: Module['path']): Layer | undefined {
  return LAYERS.find((layer) => layer.files.test(path));
}

function folderOf(layer: Layer, path: string): string | undefined {
  return layer.files.exec(path)?.[1];
}
