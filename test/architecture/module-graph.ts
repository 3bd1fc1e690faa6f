import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { parseSync } from 'oxc-parser';

/** A source module: what it imports, and its text without comments. */
export interface Module {
  /** From the repository's root, with slashes: `src/domain/feeds.ts`. */
  readonly path: string;
  /** Paths of the project's own modules, type-only imports included: they are knowledge too. */
  readonly imports: readonly string[];
  /** Names of packages and of Node's own modules: `zod`, `node:fs`. */
  readonly packages: readonly string[];
  readonly code: string;
  readonly lines: number;
}

/** What another compiler compiles, which sees to its imports: AssemblyScript. */
const FOREIGN = 'src/ingest/fast-lane/kernel/';

/** Reads every TypeScript module under a folder. Throws on one that does not parse, so that nothing is passed over. */
export function readModules(root: string, folder: string): Module[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.startsWith(FOREIGN))
    .sort()
    .map((path) => readModule(path, readFileSync(join(root, path), 'utf8')));
}

export function readModule(path: string, source: string): Module {
  const parsed = parseSync(path, source);
  const broken = parsed.errors[0];
  if (broken !== undefined) throw new Error(`${path} does not parse: ${broken.message}`);
  const specifiers = new Set<string>();
  for (const declaration of parsed.module.staticImports) specifiers.add(declaration.moduleRequest.value);
  for (const declaration of parsed.module.staticExports) {
    for (const entry of declaration.entries) if (entry.moduleRequest) specifiers.add(entry.moduleRequest.value);
  }
  const code = withoutComments(source, parsed.comments);
  // import('…') as an expression and as a type; the module record of the parser holds only the first.
  for (const match of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)) specifiers.add(match[1] ?? '');
  // new URL(`./worker${extname(…)}`, import.meta.url): how a worker thread is started, from the sources and from dist.
  for (const match of code.matchAll(/new URL\(\s*(?:`(\.[^`$]+)\$\{|['"](\.[^'"]+)['"]\s*\+)/g)) specifiers.add(`${match[1] ?? match[2]}.ts`);
  const own = [...specifiers].filter((specifier) => specifier.startsWith('.'));
  return {
    path,
    imports: own.map((specifier) => posix.normalize(posix.join(dirname(path), specifier))),
    packages: [...specifiers].filter((specifier) => !specifier.startsWith('.')).map(packageName),
    code,
    lines: source.split('\n').length - 1,
  };
}

/** The cycles among modules: each strongly connected set of two or more, and each module that imports itself (Tarjan). */
export function findCycles(modules: readonly Module[]): string[][] {
  const graph = new Map(modules.map((module) => [module.path, module.imports]));
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const cycles: string[][] = [];
  const visit = (path: string): number => {
    const index = order.size;
    order.set(path, index);
    low.set(path, index);
    open.push(path);
    for (const next of graph.get(path) ?? []) {
      if (!graph.has(next)) continue;
      if (!order.has(next)) low.set(path, Math.min(low.get(path) ?? index, visit(next)));
      else if (open.includes(next)) low.set(path, Math.min(low.get(path) ?? index, order.get(next) ?? index));
    }
    if (low.get(path) === index) {
      const members = open.splice(open.indexOf(path));
      if (members.length > 1 || graph.get(path)?.includes(path)) cycles.push(members);
    }
    return low.get(path) ?? index;
  };
  for (const path of graph.keys()) if (!order.has(path)) visit(path);
  return cycles;
}

function withoutComments(source: string, comments: readonly { start: number; end: number }[]): string {
  let code = '';
  let from = 0;
  for (const comment of comments) {
    code += source.slice(from, comment.start);
    from = comment.end;
  }
  return code + source.slice(from);
}

function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
