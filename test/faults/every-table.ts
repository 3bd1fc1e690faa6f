import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from '../../src/app/instance.ts';
import { lakeSource } from '../../src/app/lake.ts';
import { reconcile } from '../../src/app/recon.ts';
import type { EngineRow } from '../../src/engines/engine.ts';
import { checkLake } from '../../src/lake/check-lake.ts';
import type { Tables } from '../properties/compare-tables.ts';
import type { Row, Value } from '../reference/words.ts';

/** Every table that readers see, as it is now: taken from the database, so that none can be forgotten. */
export async function readEveryTable({ engine }: Instance): Promise<Tables> {
  return readTables(
    engine,
    "select schema_name || '.' || view_name as name from duckdb_views() where schema_name in ('silver', 'gold', 'ops', 'ref') order by name",
  );
}

/** Every row that is stored, whether a reader sees it or not. */
export async function readStoredTables({ engine }: Instance): Promise<Tables> {
  return readTables(
    engine,
    `select 'store.' || table_name as name from duckdb_tables() where schema_name = 'store'
     union select 'store.' || view_name from duckdb_views() where schema_name = 'store' order by name`,
  );
}

async function readTables(engine: Instance['engine'], names: string): Promise<Tables> {
  const tables: Record<string, Row[]> = {};
  for (const { name } of await engine.rows<{ name: string }>(names)) tables[name] = (await engine.rows(`select * from ${name}`)).map(toRow);
  return tables;
}

/** Files in the archive that no committed batch has put there. */
export async function strayArchiveFiles({ engine, directory }: Instance): Promise<string[]> {
  if (!existsSync(directory.archive)) return [];
  const parts = new Set((await engine.rows<{ file: string }>('select file from store.archive_parts')).map(({ file }) => join(directory.archive, file)));
  const files = readdirSync(directory.archive, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name)).filter((path) => !parts.has(path));
}

function toRow(row: EngineRow): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]): [string, Value] => {
      if (value instanceof Uint8Array) return [column, Buffer.from(value).toString('hex')];
      return [column, typeof value === 'number' ? String(value) : value];
    }),
  );
}

/** What the lake's files and the tables differ in, and how far behind the lake is. */
export async function lakeState(instance: Instance) {
  const { batch, batchesBehind, differences } = await checkLake(await lakeSource(instance), instance.directory.lake);
  return { batch, batchesBehind, differences };
}

/** The equations that do not hold, with the rows that break them. */
export async function brokenEquations(instance: Instance): Promise<string[]> {
  const broken = (await reconcile(instance)).filter(({ holds }) => !holds);
  return broken.map(({ equation, statement, rows }) => `${equation} ${statement}: ${JSON.stringify(rows, showBigint)}`);
}

function showBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
