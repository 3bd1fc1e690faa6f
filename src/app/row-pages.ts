import type { CellValue, ResultTable } from '../domain/result-table.ts';
import type { Engine, EngineValue } from '../engines/engine.ts';
import { readRows } from './result-tables.ts';

/** Rows in an order that says where each stands, so that a page goes on behind a row and not behind a number of rows. */
export interface OrderedRows {
  readonly columns: readonly string[];
  readonly from: string;
  /** Columns that tell rows apart, the first one first. */
  readonly key: readonly { readonly column: string; readonly type: 'timestamp' | 'bigint' | 'varchar'; readonly order: 'asc' | 'desc' }[];
}

/** What holds for the rows: a condition, and the values that it names. */
export interface RowFilter {
  readonly condition: string;
  readonly parameters: Readonly<Record<string, EngineValue>>;
}

export interface RowPage extends ResultTable {
  readonly rows: readonly (readonly CellValue[])[];
  /** Where the last row stands, if there are more behind it. */
  readonly last: readonly string[] | undefined;
}

export async function readPage(engine: Engine, ordered: OrderedRows, filter: RowFilter, limit: number, after?: readonly string[]): Promise<RowPage> {
  const { columns, from, key } = ordered;
  const behind = after === undefined ? 'true' : key.map((_, depth) => standsBehind(ordered, depth)).join(' or ');
  const order = key.map(({ column, order }) => `${column} ${order}`).join(', ');
  const result = await engine.query(
    `select ${columns.join(', ')} from ${from} where (${filter.condition}) and (${behind}) order by ${order} limit $row_limit`,
    {
      ...filter.parameters,
      row_limit: limit + 1,
      ...Object.fromEntries((after ?? []).map((value, index) => [`after_${index}`, key[index]?.type === 'varchar' ? value : BigInt(value)])),
    },
  );
  const rows = await readRows(result);
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { columns: result.columns, rows: shown, last: last && key.map(({ column }) => String(last[columns.indexOf(column)])) };
}

/** The first columns of the key are the same, and the next one is further. */
function standsBehind({ key }: OrderedRows, depth: number): string {
  return `(${key
    .slice(0, depth + 1)
    .map(({ column, type, order }, index) => {
      const value = type === 'timestamp' ? `make_timestamp(cast($after_${index} as bigint))` : `cast($after_${index} as ${type})`;
      return `${column} ${index < depth ? '=' : order === 'asc' ? '>' : '<'} ${value}`;
    })
    .join(' and ')})`;
}

/** Rows that have these values. */
export function having(values: Readonly<Record<string, EngineValue | undefined>>): RowFilter {
  const given = Object.entries(values).filter((entry): entry is [string, EngineValue] => entry[1] !== undefined);
  return { condition: given.map(([column]) => `${column} = $${column}`).join(' and ') || 'true', parameters: Object.fromEntries(given) };
}
