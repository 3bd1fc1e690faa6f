import type { CellKind, CellValue, ResultTable } from '../../domain/result-table.ts';
import { formatForPrograms } from './format-cell.ts';

/** One array of objects, a row a line. Integers past 2⁵³ are strings: a number of that size loses digits in most readers. */
export async function* renderJsonRows(table: ResultTable): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const row of table.rows) {
    const members = table.columns.map((column, index) => `${JSON.stringify(column.name)}:${jsonCell(row[index] ?? null, column.kind)}`);
    yield `${separator}{${members.join(',')}}`;
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

/** Any value as JSON, by the same rule for integers. */
export function renderJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, inner: unknown) => {
      if (typeof inner === 'bigint') return isSafe(inner) ? Number(inner) : String(inner);
      if (inner instanceof Map) return Object.fromEntries(inner);
      return inner;
    },
    2,
  );
  return `${text}\n`;
}

function jsonCell(value: CellValue, kind: CellKind): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (kind === 'timestamp' || kind === 'date') return JSON.stringify(formatForPrograms(value, kind));
  if (typeof value === 'bigint') return isSafe(value) ? String(value) : JSON.stringify(String(value));
  // JSON knows no NaN and no infinity.
  if (typeof value === 'number' && !Number.isFinite(value)) return 'null';
  if (kind !== 'decimal' && typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return JSON.stringify(String(BigInt(value)));
  return JSON.stringify(value);
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}
