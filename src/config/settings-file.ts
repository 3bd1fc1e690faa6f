import { Document } from 'yaml';
import { SETTING_TREE, type SettingEntry, type SettingSection } from './setting-list.ts';

const COLUMNS = 110;

/** A commented `advertisex.yaml` that holds every setting, at its default or at the value given for its key. */
export function renderSettingsFile(values: Readonly<Record<string, unknown>> = {}): string {
  const opening = [
    'Settings of an AdvertiseX instance. Each one stands here at its default; delete what you do not change.',
    'An environment variable wins over this file: ADVERTISEX_ and the key in capitals, for example',
    'ADVERTISEX_ATTRIBUTION_HALF_LIFE_SECONDS=86400.',
  ];
  return `${[...opening.map((line) => `# ${line}`), ...SETTING_TREE.sections.flatMap((section) => ['', ...renderSection(section, '', values)])].join('\n')}\n`;
}

function renderSection(section: SettingSection, indent: string, values: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(section.description === undefined ? [] : comment(section.description, indent)),
    `${indent}${section.path.at(-1)}:`,
    ...section.settings.flatMap((setting) => renderSetting(setting, `${indent}  `, values[setting.key] ?? setting.defaultValue)),
    ...section.sections.flatMap((inner) => renderSection(inner, `${indent}  `, values)),
  ];
}

function renderSetting(setting: SettingEntry, indent: string, value: unknown): string[] {
  const name = setting.path.at(-1) ?? '';
  const line = value === undefined ? `# ${name}:` : `${name}: ${renderValue(value)}`;
  return [
    ...comment(`${setting.description}: ${setting.expected}`, indent),
    ...setting.items.flatMap((inner) => comment(`- ${inner.path.at(-1)}: ${inner.description}: ${inner.expected}`, indent)),
    `${indent}${line}`,
  ];
}

/** A value as YAML on one line. */
export function renderValue(value: unknown): string {
  const document = new Document(value);
  return document.toString({ collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > COLUMNS) lines.push(`${indent}# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
