import type { CellKind, CellValue, ResultColumn, ResultTable } from '../domain/result-table.ts';
import { formatForPrograms } from './format-cell.ts';

export type JsonCell = string | number | boolean | null;

/** One array of objects, a row a line. Integers past 2⁵³ are strings: a number of that size loses digits in most readers. */
export async function* renderJsonRows(table: ResultTable): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const row of table.rows) {
    yield separator + renderJsonRow(table.columns, row);
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

export function renderJsonRow(columns: readonly ResultColumn[], row: readonly CellValue[]): string {
  return `{${columns.map(({ name, kind }, index) => `${JSON.stringify(name)}:${JSON.stringify(jsonCell(row[index] ?? null, kind))}`).join(',')}}`;
}

/** Any value as JSON, by the same rule for integers. */
export function renderJson(value: unknown, indent: 0 | 2 = 2): string {
  const text = JSON.stringify(
    value,
    (_key, inner: unknown) => {
      if (typeof inner === 'bigint') return isSafe(inner) ? Number(inner) : String(inner);
      if (inner instanceof Map) return Object.fromEntries(inner);
      return inner;
    },
    indent,
  );
  return `${text}\n`;
}

/** What stands in JSON for a value. */
export function jsonCell(value: CellValue, kind: CellKind): JsonCell {
  if (value === null || typeof value === 'boolean') return value;
  if (kind === 'timestamp' || kind === 'date') return formatForPrograms(value, kind);
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : String(value);
  // JSON knows no NaN and no infinity.
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  if (kind !== 'decimal' && typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return String(BigInt(value));
  return value;
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}
