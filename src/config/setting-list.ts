import { z } from 'zod';
import { settingsSchema } from './settings.ts';

/** One setting as documentation, messages and the environment speak of it. */
export interface SettingEntry {
  /** `['attribution', 'half_life_seconds']` */
  readonly path: readonly string[];
  /** `attribution.half_life_seconds` */
  readonly key: string;
  /** `ADVERTISEX_ATTRIBUTION_HALF_LIFE_SECONDS` */
  readonly variable: string;
  readonly description: string;
  /** What a value must be, to follow the word "expected": `a whole number from 1 to 10000`. */
  readonly expected: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'list';
  /** Undefined where the machine decides. */
  readonly defaultValue: unknown;
  /** In a settings file it is meant from where that file is. */
  readonly isPath: boolean;
  /** Not to be shown anywhere. */
  readonly isSecret: boolean;
  /** Of a list of which each item has settings of its own: those. Their keys stand for every item. */
  readonly items: readonly SettingEntry[];
}

/** A group of settings, with its doc line. */
export interface SettingSection {
  readonly path: readonly string[];
  readonly description: string | undefined;
  readonly settings: readonly SettingEntry[];
  readonly sections: readonly SettingSection[];
}

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly description?: string;
  readonly expected?: string;
  readonly default?: unknown;
  readonly isPath?: boolean;
  readonly isSecret?: boolean;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

/** All settings in the order of the schema, which is the one place where they are written down. */
export const SETTING_TREE: SettingSection = readSection(z.toJSONSchema(settingsSchema, { io: 'input' }) as SchemaNode, []);

export const SETTINGS_LIST: readonly SettingEntry[] = flatten(SETTING_TREE);

/** The environment variable of a setting: the key in capitals, with an underscore wherever a level or a hyphen is. */
export function variableOf(path: readonly string[]): string {
  return ['ADVERTISEX', ...path].join('_').replaceAll('-', '_').toUpperCase();
}

function flatten(section: SettingSection): SettingEntry[] {
  return [...section.settings, ...section.sections.flatMap(flatten)];
}

function readSection(node: SchemaNode, path: readonly string[]): SettingSection {
  const entries = Object.entries(node.properties ?? {});
  return {
    path,
    description: node.description,
    settings: entries.filter(([, child]) => child.properties === undefined).map(([name, child]) => readSetting(child, [...path, name])),
    sections: entries.filter(([, child]) => child.properties !== undefined).map(([name, child]) => readSection(child, [...path, name])),
  };
}

function readSetting(node: SchemaNode, path: readonly string[]): SettingEntry {
  return {
    path,
    key: path.join('.'),
    variable: variableOf(path),
    description: node.description ?? '',
    expected: node.expected ?? expectedValue(node),
    kind: kindOf(node),
    defaultValue: node.default,
    isPath: node.isPath === true,
    isSecret: node.isSecret === true,
    items: Object.entries(node.items?.properties ?? {}).map(([name, child]) => readSetting(child, [...path, name])),
  };
}

function kindOf(node: SchemaNode): SettingEntry['kind'] {
  if (node.type === 'integer' || node.type === 'number') return 'number';
  if (node.type === 'boolean') return 'boolean';
  return node.type === 'array' ? 'list' : 'text';
}

function expectedValue(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.join(' or ');
  switch (kindOf(node)) {
    case 'boolean':
      return 'true or false';
    case 'list':
      return 'a list of texts';
    case 'number':
      return `a ${node.type === 'integer' ? 'whole ' : ''}number from ${node.minimum ?? (node.exclusiveMinimum ?? -1) + 1} to ${node.maximum}`;
    default:
      return 'a text';
  }
}
