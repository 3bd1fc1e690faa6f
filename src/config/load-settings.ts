import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, LineCounter, parseDocument, parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { AdvertiseXError } from '../domain/errors.ts';
import { nearestName } from './nearest-name.ts';
import { retentionProblems } from './retention.ts';
import { SECRET_VARIABLES } from './secrets.ts';
import { SETTING_TREE, SETTINGS_LIST, type SettingEntry, type SettingSection } from './setting-list.ts';
import { type Settings, settingsSchema } from './settings.ts';

/** Read from the environment by the command line, for its own options: they are no settings. */
export const COMMAND_LINE_VARIABLES = ['ADVERTISEX_DATA', 'ADVERTISEX_CONFIG'] as const;

/** No settings, though they begin like one. */
const OTHER_VARIABLES: readonly string[] = [...COMMAND_LINE_VARIABLES, ...SECRET_VARIABLES];

/** What Kubernetes puts into every container when a service is called `advertisex`. */
const SERVICE_LINK = /^ADVERTISEX_(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_\d+_(TCP|UDP).*)$/;

export interface SettingsSource {
  /** The file, if there is one to read. */
  readonly path?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The settings of a file, overridden by the environment, checked and frozen. Throws `config_invalid` with a line for
 * each thing that is wrong: where it is, what is there, and what was expected.
 */
export function loadSettings(source: SettingsSource): Settings {
  const file = source.path === undefined ? emptyFile() : readFile(source.path);
  const problems: string[] = [...file.problems];
  const values = withoutEmpty(file.values);
  if (source.path !== undefined) resolvePaths(values, dirname(source.path));
  const variables = new Map<string, string>();

  for (const [name, text] of Object.entries(source.environment)) {
    if (!name.startsWith('ADVERTISEX_') || text === undefined || OTHER_VARIABLES.includes(name) || SERVICE_LINK.test(name)) continue;
    const setting = SETTINGS_LIST.find((entry) => entry.variable === name);
    if (setting === undefined) {
      const known = [...SETTINGS_LIST.map((entry) => entry.variable), ...OTHER_VARIABLES];
      problems.push(`environment: ${name} is not a setting${suggestion(nearestName(name, known))}`);
      continue;
    }
    variables.set(setting.key, name);
    assign(values, setting.path, readVariable(setting, text));
  }

  const checked = settingsSchema.safeParse(values);
  const where = (path: readonly PropertyKey[]): string => {
    const variable = variables.get(path.join('.'));
    return variable === undefined ? file.place(path) : `environment: ${variable}`;
  };
  if (checked.success) {
    for (const { key, value, expected } of retentionProblems(checked.data)) problems.push(`${where(['retention', key])} is ${value}, expected ${expected}`);
    if (problems.length === 0) return freeze(checked.data);
  }
  // Where YAML itself is broken, what follows from it says nothing new.
  if (file.problems.length === 0) for (const issue of checked.error?.issues ?? []) problems.push(...describeIssue(issue, values, where));
  throw new AdvertiseXError(
    'config_invalid',
    problems.join('\n'),
    'Correct the lines named above. `advertisex init` writes a file with every setting and its default; docs/reference/config.md lists them.',
  );
}

/** A path in a file is meant from where the file is, not from where the command runs. */
function resolvePaths(values: Record<string, unknown>, folder: string): void {
  const resolveIn = (held: unknown, name: string) => {
    if (isSection(held) && typeof held[name] === 'string') held[name] = resolve(folder, held[name]);
  };
  for (const { path, isPath, items } of SETTINGS_LIST) {
    const [section = '', name = ''] = path;
    const held = values[section];
    if (isPath) resolveIn(held, name);
    const list = isSection(held) ? held[name] : undefined;
    if (!Array.isArray(list)) continue;
    for (const item of list) for (const inner of items) if (inner.isPath) resolveIn(item, inner.path.at(-1) as string);
  }
}

interface ConfigFile {
  readonly values: Record<string, unknown>;
  readonly problems: readonly string[];
  /** `advertisex.yaml:7: attribution.match` */
  place(path: readonly PropertyKey[]): string;
}

function emptyFile(): ConfigFile {
  return { values: {}, problems: [], place: (path) => path.join('.') };
}

function readFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new AdvertiseXError(
      'config_invalid',
      `${path} ${missing ? 'does not exist' : `cannot be read: ${(error as Error).message}`}`,
      'Give --config the path of a readable file, or run `advertisex init` to make one.',
      error,
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map((error) => `${path}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
  const values: unknown = problems.length > 0 ? {} : (document.toJS() ?? {});
  if (!isSection(values)) {
    return { values: {}, problems: [`${path}:1: expected sections such as \`instance:\` with settings below them`], place: () => path };
  }
  return {
    values,
    problems,
    place: (keys) => {
      const line = lineOf(document, keys, lines);
      return `${path}${line === undefined ? '' : `:${line}`}: ${keys.join('.')}`;
    },
  };
}

/** The line of a key, or of the innermost key above it that is in the file. */
function lineOf(document: Document, keys: readonly PropertyKey[], lines: LineCounter): number | undefined {
  let line: number | undefined;
  let node: unknown = document.contents;
  for (const key of keys) {
    const items = (node as { items?: readonly unknown[] } | null)?.items;
    const item = typeof key === 'number' ? items?.[key] : items?.find((pair) => String((pair as { key?: { value?: unknown } }).key?.value) === String(key));
    if (item === undefined) return line;
    const { key: keyNode, value } = item as { key?: unknown; value?: unknown };
    const range = ((keyNode ?? item) as { range?: readonly number[] | null }).range;
    if (range?.[0] !== undefined) line = lines.linePos(range[0]).line;
    node = keyNode === undefined ? item : value;
  }
  return line;
}

/** `threads:` and a section whose settings are all commented out are null in YAML: they mean the default. */
function withoutEmpty(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(values).filter(([, value]) => value !== null);
  return Object.fromEntries(kept.map(([name, value]) => [name, isSection(value) ? withoutEmpty(value) : value]));
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readVariable(setting: SettingEntry, text: string): unknown {
  if (setting.kind === 'text') return text;
  try {
    // `86400`, `false` and `["-", "none"]` are written in the environment as they are in the file.
    return parseYaml(text);
  } catch {
    return text;
  }
}

function assign(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let section = values;
  for (const name of path.slice(0, -1)) {
    const inner = section[name] ?? {};
    // A file that holds something else where a section should be is reported for what it is.
    if (!isSection(inner)) return;
    section[name] = inner;
    section = inner;
  }
  section[path.at(-1) ?? ''] = value;
}

function describeIssue(issue: z.core.$ZodIssue, values: unknown, where: (path: readonly PropertyKey[]) => string): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownNames(issue.path);
    return issue.keys.map((key) => `${where([...issue.path, key])} is not a setting${suggestion(nearestName(key, known), known)}`);
  }
  const path = issue.path.filter((key) => typeof key === 'string');
  const setting = SETTINGS_LIST.flatMap((entry) => [entry, ...entry.items]).find((entry) => entry.key === path.join('.'));
  const value = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key], values);
  const shown = setting?.isSecret ? 'not what it can be' : show(value);
  return [`${where(issue.path)} is ${shown}, expected ${setting?.expected ?? `settings: ${knownNames(issue.path).join(', ')}`}`];
}

function knownNames(path: readonly PropertyKey[]): string[] {
  const list = SETTINGS_LIST.find(({ key }) => key === path.filter((name) => typeof name === 'string').join('.'));
  if (list !== undefined) return list.items.map((inner) => inner.path.at(-1) ?? '');
  let section: SettingSection | undefined = SETTING_TREE;
  for (const key of path) section = section?.sections.find((inner) => inner.path.at(-1) === key);
  return [...(section?.settings ?? []), ...(section?.sections ?? [])].map((inner) => inner.path.at(-1) ?? '');
}

function suggestion(nearest: string | undefined, known: readonly string[] = []): string {
  if (nearest !== undefined) return `. Did you mean ${nearest}?`;
  return known.length === 0 ? '' : `. Known here: ${known.join(', ')}`;
}

/** But for a user in an address, which may have a password. */
function show(value: unknown): string {
  // A password may stand in an address.
  const text = (JSON.stringify(value) ?? String(value)).replaceAll(/:\/\/[^\s"]*@/g, '://…@');
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
