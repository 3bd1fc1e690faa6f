import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openInstance } from '../../src/app/instance.ts';
import { lakeSource } from '../../src/app/lake.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { loadContracts } from '../../src/contracts/load-contract.ts';
import { type LakeManifest, renderManifest } from '../../src/lake/lake-manifest.ts';
import type { LakeTable } from '../../src/lake/lake-source.ts';
import { LAKE_DIALECTS, tableStatements } from '../../src/lake/table-statements.ts';

const ROOT = join(import.meta.dirname, '../..');
const guide = readFileSync(join(ROOT, 'docs/guides/read-the-lake.md'), 'utf8');

/** The lake of the guide: two tables, and of those some columns. */
const MANIFEST: LakeManifest = {
  format: 'advertisex-lake',
  version: 1,
  origin: '1767657612000000',
  tables: [
    {
      name: 'silver.clicks',
      batch: 17,
      divided: 'by_day',
      columns: [
        { name: 'event_key', type: 'varchar' },
        { name: 'event_time', type: 'timestamp' },
        { name: 'user_id', type: 'varchar' },
        { name: 'campaign_id', type: 'varchar' },
        { name: 'valid', type: 'boolean' },
        { name: 'report_date', type: 'date' },
        { name: 'position', type: 'bigint' },
      ],
      files: [
        { slice: '2026-01-05', path: 'silver.clicks/dt=2026-01-05/part-0.parquet', rows: 48210, bytes: 1830112, batch: 16 },
        { slice: '2026-01-06', path: 'silver.clicks/dt=2026-01-06/part-0.parquet', rows: 45877, bytes: 1741905, batch: 17 },
      ],
    },
    {
      name: 'ref.campaigns',
      batch: 17,
      divided: 'whole',
      columns: [
        { name: 'campaign_id', type: 'varchar' },
        { name: 'name', type: 'varchar' },
        { name: 'rate_micros', type: 'bigint' },
      ],
      files: [{ slice: 'whole', path: 'ref.campaigns/part-0.parquet', rows: 120, bytes: 6411, batch: 2 }],
    },
  ],
};
const LOCATIONS = {
  trino: 's3://acme-ads/lake',
  hive: 's3a://acme-ads/lake',
  spark: 's3a://acme-ads/lake',
  athena: 's3://acme-ads/lake',
  redshift: 's3://acme-ads/lake',
  duckdb: 'advertisex-data/lake',
};

let folder: string;
let tables: readonly LakeTable[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-guide-'));
  const instance = await openInstance({
    dataDirectory: folder,
    settings: settingsSchema.parse({}),
    contracts: await loadContracts(join(ROOT, 'contracts')),
    access: 'write',
    command: 'test',
    nowMicros: () => 0,
  });
  tables = (await lakeSource(instance)).tables;
  await instance.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the guide to the lake', () => {
  it.each(LAKE_DIALECTS)('shows the statements for %s as the product makes them', (dialect) => {
    const statements = tableStatements(MANIFEST, { dialect, location: LOCATIONS[dialect] });
    expect(guide).toContain(`\`\`\`sql\n${statements.join(';\n')};\n\`\`\``);
  });

  it('shows a manifest as the product writes it', () => {
    expect(guide).toContain(`\`\`\`json\n${renderManifest(MANIFEST)}\`\`\``);
  });

  it('uses columns that the tables have', () => {
    for (const { name, columns, divided } of MANIFEST.tables) {
      const table = tables.find((candidate) => candidate.name === name);
      expect(table?.divided).toBe(divided);
      expect(table?.columns).toEqual(expect.arrayContaining(columns));
    }
  });

  it('lists every table of the lake, and says which day it is divided by', () => {
    const listed = [...guide.matchAll(/^\| `((?:silver|gold|ref)\.[a-z_]+)` \| (.+?) \|/gm)].map((match) => [
      match[1],
      match[2] === 'none' ? 'whole' : 'by_day',
    ]);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(tables.map(({ name, divided }) => [name, divided])));
  });
});
