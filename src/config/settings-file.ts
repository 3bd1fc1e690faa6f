import { Document } from 'yaml';
import { SETTING_TREE, type SettingEntry, type SettingSection } from './setting-list.ts';

const COLUMNS = 110;

/** A commented `advertisex.yaml` that holds every setting at its default. */
export function renderSettingsFile(): string {
  const opening = [
    'Settings of an AdvertiseX instance. Each one stands here at its default; delete what you do not change.',
    'An environment variable wins over this file: ADVERTISEX_ and the key in capitals, for example',
    'ADVERTISEX_ATTRIBUTION_HALF_LIFE_SECONDS=86400.',
  ];
  return `${[...opening.map((line) => `# ${line}`), ...SETTING_TREE.sections.flatMap((section) => ['', ...renderSection(section, '')])].join('\n')}\n`;
}

function renderSection(section: SettingSection, indent: string): string[] {
  return [
    ...(section.description === undefined ? [] : comment(section.description, indent)),
    `${indent}${section.path.at(-1)}:`,
    ...section.settings.flatMap((setting) => renderSetting(setting, `${indent}  `)),
    ...section.sections.flatMap((inner) => renderSection(inner, `${indent}  `)),
  ];
}

function renderSetting(setting: SettingEntry, indent: string): string[] {
  const name = setting.path.at(-1) ?? '';
  const line = setting.defaultValue === undefined ? `# ${name}:` : `${name}: ${renderValue(setting.defaultValue)}`;
  return [...comment(`${setting.description}: ${setting.expected}`, indent), `${indent}${line}`];
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
