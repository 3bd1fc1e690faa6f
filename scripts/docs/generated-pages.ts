import { SETTING_TREE, type SettingEntry, type SettingSection } from '../../src/config/setting-list.ts';
import { renderSettingsFile, renderValue } from '../../src/config/settings-file.ts';
import { ERROR_CODES } from '../../src/domain/errors.ts';
import { QUARANTINE_CODES } from '../../src/domain/outcome.ts';
import { commandPage } from './command-page.ts';
import { MADE_BY, markdownTable } from './markdown.ts';
import { metricsPage } from './metrics-page.ts';
import { tablesPage } from './tables-page.ts';

/** Pages that are made whole from tables in the sources: path from the repository's root → text. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/errors.md', errorsPage()],
    ['docs/reference/quarantine-codes.md', quarantineCodesPage()],
    ['docs/reference/cli.md', commandPage()],
    ['docs/reference/config.md', configPage()],
    ['docs/reference/advertisex.yaml', renderSettingsFile()],
    ['docs/reference/metrics.md', metricsPage()],
    ['docs/reference/tables.md', await tablesPage()],
  ]);
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { exit, title, next }]) => [`\`${code}\``, title, next, String(exit)]);
  return `${MADE_BY}
# Errors

When a command cannot do what it was asked, it prints what happened, what to do next, and one of these codes in square
brackets, and exits with 2 (the call or the configuration is wrong: running it again gives the same) or 3 (it could not be
done: something outside has to change). Exit 1 is no error: a check such as \`recon\` ran, and found something.

A record that breaks its contract is no error either: it goes to quarantine with
[a code of its own](reference/quarantine-codes.md).

${markdownTable(['code', 'means', 'what to do', 'exit'], rows)}
`;
}

function quarantineCodesPage(): string {
  return `${MADE_BY}
# Quarantine codes

A record that breaks its contract is kept whole, with one of these codes, the JSON pointer of the field, and a sentence that
says what was wrong with it. The first rule that a record breaks, in the order of the contract's fields, is its code.
[Reading the quarantine](../guides/reading-the-quarantine.md) shows how to find out what happened, and how to replay.

${markdownTable(
  ['code', 'means'],
  Object.entries(QUARANTINE_CODES).map(([code, meaning]) => [`\`${code}\``, meaning]),
)}
`;
}

function configPage(): string {
  return `${MADE_BY}
# Settings

Settings come from \`advertisex.yaml\` in the folder where a command runs (or the file that \`--config\` or \`ADVERTISEX_CONFIG\`
names), then from the environment, which wins. A key that is not in this list is an error, and so is a variable that begins
with \`ADVERTISEX_\` and is not in it (\`ADVERTISEX_DATA\` and \`ADVERTISEX_CONFIG\` stand for \`--data\` and \`--config\`).
A variable is \`ADVERTISEX_\` and the key in capitals, with an underscore for each dot and hyphen; lists are written as in YAML:
\`ADVERTISEX_NORMALISING_NULL_SPELLINGS='["", "-"]'\`.

\`advertisex init\` writes [a file with every setting at its default](advertisex.yaml).
${SETTING_TREE.sections.map((section) => configSection(section, '##')).join('')}`;
}

function configSection(section: SettingSection, heading: string): string {
  const rows = section.settings.map((setting) => [
    `\`${setting.key}\`<br>\`${setting.variable}\``,
    setting.description,
    setting.expected,
    setting.defaultValue === undefined ? '' : `\`${renderValue(setting.defaultValue)}\``,
  ]);
  const table = rows.length === 0 ? '' : `\n${markdownTable(['setting', 'what it is', 'value', 'default'], rows)}\n`;
  const lists = section.settings.filter(({ items }) => items.length > 0).map(itemTable);
  const about = section.description === undefined ? '' : `\n${section.description[0]?.toUpperCase()}${section.description.slice(1)}.\n`;
  return `\n${heading} \`${section.path.join('.')}\`\n${about}${table}${lists.join('')}${section.sections.map((inner) => configSection(inner, `${heading}#`)).join('')}`;
}

/** The settings of each item of a list. */
function itemTable({ key, items }: SettingEntry): string {
  const rows = items.map(({ path, description, expected, defaultValue }) => [
    `\`${path.at(-1)}\``,
    description,
    expected,
    defaultValue === undefined ? '' : `\`${renderValue(defaultValue)}\``,
  ]);
  return `\nEach of \`${key}\` has:\n\n${markdownTable(['setting', 'what it is', 'value', 'default'], rows)}\n`;
}
