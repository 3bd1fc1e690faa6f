/** Rows of a table as the text that golden cases are written in. */
import type { Row } from '../reference/words.ts';
import type { ExpectedTable } from './read-cases.ts';

export type ReportRow = Record<string, string | bigint | boolean | number | null | { numerator: bigint; denominator: bigint }>;

/** Keys are shown as the explicit id of their event where it has one. */
export function keyNames(silver: readonly (readonly Row[])[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const row of silver.flat()) {
    const id = row['impression_id'] ?? row['event_id'] ?? row['request_id'] ?? row['order_id'];
    if (typeof id === 'string') names.set(row['event_key'] as string, id);
  }
  return names;
}

export function projectRows(rows: readonly ReportRow[], expected: ExpectedTable, names: ReadonlyMap<string, string>): string[] {
  return rows.map((row) => expected.columns.map((column) => show(row[column], column, names)).join(' | ')).sort();
}

/** The expected rows in the same form: fractions are reckoned out to ten digits. */
export function expectedRows(expected: ExpectedTable): string[] {
  return expected.rows
    .map((row) =>
      row
        .map((cell) => {
          const [, numerator, denominator] = /^(\d+)\/(\d+)$/.exec(cell) ?? [];
          return numerator === undefined ? cell : digits(Number(numerator) / Number(denominator));
        })
        .join(' | '),
    )
    .sort();
}

function digits(value: number): string {
  return `${Number(value.toPrecision(10))}`;
}

function show(value: ReportRow[string] | undefined, column: string, names: ReadonlyMap<string, string>): string {
  if (value === undefined) throw new Error(`there is no column ${column}`);
  if (value === null) return 'NULL';
  if (typeof value === 'object') return digits(Number(value.numerator) / Number(value.denominator));
  if (typeof value === 'number') return digits(value);
  if (typeof value === 'bigint' && /(_time|^hour|_from)$/.test(column)) {
    const text = `${new Date(Number(value / 1000n)).toISOString().slice(0, -1)}${`${value % 1000n}`.padStart(3, '0')}`;
    return `${text.replace(/\.?0+$/, '')}Z`;
  }
  return names.get(`${value}`) ?? `${value}`;
}
