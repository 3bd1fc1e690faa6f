import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openInstance } from '../../src/app/instance.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { loadContracts } from '../../src/contracts/load-contract.ts';
import type { Engine } from '../../src/engines/engine.ts';
import { MADE_BY, markdownTable } from './markdown.ts';

const SCHEMAS = {
  silver: 'Accepted events, one row each, with what is known of them.',
  gold: 'Figures: credit of conversions, and sums by hour and day. Additive integers are stored, ratios computed where they are read.',
  ops: 'The books: what was received, what became of it, and what later knowledge changed.',
  ref: 'Reference data as it holds now.',
} as const;

/** Every table that a query can read, with its grain and columns, as the shipped contracts make them. */
export async function tablesPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'advertisex-docs-'));
  const instance = await openInstance({
    dataDirectory: folder,
    settings: settingsSchema.parse({}),
    contracts: await loadContracts(join(import.meta.dirname, '../../contracts')),
    access: 'write',
    command: 'docs',
    nowMicros: () => 0,
  });
  try {
    const views = [...instance.models.values()].filter((model) => model.kind === 'view');
    const sections: string[] = [];
    for (const [schema, about] of Object.entries(SCHEMAS)) {
      sections.push(`\n## ${schema}\n\n${about}\n`);
      for (const { name, grain } of views.filter((view) => view.name.startsWith(`${schema}.`)).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        sections.push(`\n### \`${name}\`\n\n${grain[0]?.toUpperCase()}${grain.slice(1)}.\n\n${await columnTable(instance.engine, name)}\n`);
      }
    }
    return `${MADE_BY}
# Tables

What \`advertisex query\` reads. Times are \`TIMESTAMP\` in UTC, keys 32 hex digits, money \`BIGINT\` micros (10⁻⁶ of a currency unit), credit \`BIGINT\`
ppm (10⁻⁶ of a conversion). [What each figure means](../guides/what-each-figure-means.md) explains them. A field that a contract gains becomes a column here.
${sections.join('')}`;
  } finally {
    await instance.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function columnTable(engine: Engine, name: string): Promise<string> {
  const columns = await engine.rows<{ column_name: string; column_type: string }>(`describe select * from ${name}`);
  return markdownTable(
    ['column', 'type'],
    columns.map((column) => [`\`${column.column_name}\``, column.column_type]),
  );
}
