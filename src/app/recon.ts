import type { CellValue, ResultColumn } from '../domain/result-table.ts';
import { checkLake } from '../lake/check-lake.ts';
import type { Instance } from './instance.ts';
import { lakeSource } from './lake.ts';
import { readRows } from './result-tables.ts';

/** An equation of SEMANTICS §10, and the rows that break it. */
export interface Reconciliation {
  /** Number of the equation in the list of what must always hold. */
  readonly equation: number;
  readonly name: string;
  /** `received = accepted + duplicate + quarantined` */
  readonly statement: string;
  readonly holds: boolean;
  readonly columns: readonly ResultColumn[];
  /** At most `SHOWN_ROWS` of those that break it. */
  readonly rows: readonly (readonly CellValue[])[];
  readonly brokenRows: number;
}

const SHOWN_ROWS = 20;

/** Checks every equation that can be asked of the tables; what breaks one is named. */
export async function reconcile(instance: Instance): Promise<Reconciliation[]> {
  const { engine, models } = instance;
  const checks = [...models.values()].filter((model) => model.kind === 'check').sort((a, b) => (a.path < b.path ? -1 : 1));
  const results: Reconciliation[] = [];
  for (const check of checks) {
    const result = await engine.query(`select *, count(*) over () as broken_rows from (${check.select}) broken limit ${SHOWN_ROWS}`);
    const rows = await readRows(result);
    results.push({
      equation: Number(/(\d+)-/.exec(check.path)?.[1]),
      name: check.name,
      statement:
        /equation: (.+)$/m
          .exec(check.select)?.[1]
          ?.replace(/\s*\*\/$/, '')
          .trim() ?? check.name,
      holds: rows.length === 0,
      columns: result.columns.slice(0, -1),
      rows: rows.map((row) => row.slice(0, -1)),
      brokenRows: Number(rows[0]?.at(-1) ?? 0),
    });
  }
  results.push(await reconcileLake(instance));
  return results;
}

async function reconcileLake(instance: Instance): Promise<Reconciliation> {
  const { differences } = await checkLake(await lakeSource(instance), instance.directory.lake);
  return {
    equation: 7,
    name: 'lake',
    statement: "rows in the lake's files = rows in the tables, per table and day",
    holds: differences.length === 0,
    columns: [
      { name: 'table', kind: 'text' },
      { name: 'slice', kind: 'text' },
      { name: 'rows_in_table', kind: 'integer' },
      { name: 'rows_in_lake', kind: 'integer' },
      { name: 'problem', kind: 'text' },
    ],
    rows: differences.slice(0, SHOWN_ROWS).map(({ table, slice, rowsInTable, rowsInLake, problem }) => [table, slice, rowsInTable, rowsInLake, problem]),
    brokenRows: differences.length,
  };
}
