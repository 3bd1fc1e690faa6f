import type { Instance } from '../../src/app/instance.ts';
import { lakeSource } from '../../src/app/lake.ts';
import { reconcile } from '../../src/app/recon.ts';
import type { EngineRow } from '../../src/engines/engine.ts';
import { checkLake } from '../../src/lake/check-lake.ts';
import type { Tables } from '../properties/compare-tables.ts';
import type { Row, Value } from '../reference/words.ts';

/** Every table that readers see, as it is now: none can be forgotten here. */
export async function readEveryTable({ engine }: Instance): Promise<Tables> {
  const views = await engine.rows<{ name: string }>(
    "select schema_name || '.' || view_name as name from duckdb_views() where schema_name in ('silver', 'gold', 'ops', 'ref') order by name",
  );
  const tables: Record<string, Row[]> = {};
  for (const { name } of views) tables[name] = (await engine.rows(`select * from ${name}`)).map(toRow);
  return tables;
}

function toRow(row: EngineRow): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]): [string, Value] => {
      if (value instanceof Uint8Array) return [column, Buffer.from(value).toString('hex')];
      return [column, typeof value === 'number' ? String(value) : value];
    }),
  );
}

/** Rows of each table of the lake, by slice; what the lake and the tables differ in. */
export async function readLakeCounts(instance: Instance) {
  const check = await checkLake(await lakeSource(instance), instance.directory.lake);
  return { batch: check.batch, behind: check.batchesBehind, differences: check.differences };
}

/** Names of the equations that do not hold. */
export async function brokenEquations(instance: Instance): Promise<string[]> {
  return (await reconcile(instance))
    .filter(({ holds }) => !holds)
    .map(({ equation, statement, rows }) => `${equation} ${statement}: ${JSON.stringify(rows, showBigint)}`);
}

function showBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
