import type { Model } from '../batches/models.ts';
import type { CellValue, ResultColumn } from '../domain/result-table.ts';
import type { Engine } from '../engines/engine.ts';
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

/** One equation, to be checked by itself. */
export interface Check {
  /** As in `1-outcomes`: of a closed list. */
  readonly label: string;
  /** It reads in one statement, and so one state of the tables, whatever is committed meanwhile. */
  readonly seesOneState: boolean;
  run(): Promise<Reconciliation>;
}

export interface Reconcilable {
  readonly engine: Pick<Engine, 'rows' | 'query' | 'withReader'>;
  readonly models: Instance['models'];
  readonly directory: Pick<Instance['directory'], 'lake'>;
}

/** Checks every equation that can be asked of the tables; what breaks one is named. */
export async function reconcile(instance: Reconcilable): Promise<Reconciliation[]> {
  const results: Reconciliation[] = [];
  for (const check of checksOf(instance)) results.push(await check.run());
  return results;
}

export function checksOf(instance: Reconcilable): Check[] {
  const models = [...instance.models.values()].filter((model) => model.kind === 'check').sort((a, b) => (a.path < b.path ? -1 : 1));
  return [
    ...models.map((model) => ({ label: model.path.replace('recon/', ''), seesOneState: true, run: () => checkModel(instance, model) })),
    { label: '7-lake', seesOneState: false, run: () => checkLakeRows(instance) },
  ];
}

async function checkModel({ engine }: Reconcilable, check: Model): Promise<Reconciliation> {
  const result = await engine.query(`select *, count(*) over () as broken_rows from (${check.select}) broken limit ${SHOWN_ROWS}`);
  const rows = await readRows(result);
  return {
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
  };
}

async function checkLakeRows(instance: Reconcilable): Promise<Reconciliation> {
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
