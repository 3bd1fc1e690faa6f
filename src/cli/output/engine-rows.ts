import type { CellKind, CellValue, ResultTable } from '../../domain/result-table.ts';
import { formatForPeople, formatForPrograms } from './format-cell.ts';

/** A row as the engine's port gives it: times in microseconds, dates in days, both told by the names of their columns. */
type Row = Readonly<Record<string, CellValue | Uint8Array>>;

/** Values as JSON shows them: times and dates in ISO 8601. */
export function plainObject(row: Row): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const kind = kindOf(name, value);
      return [name, value !== null && !(value instanceof Uint8Array) && (kind === 'timestamp' || kind === 'date') ? formatForPrograms(value, kind) : value];
    }),
  );
}

/** A row a line, `name  value`, without what is NULL. */
export function listOfFields(row: Row): ResultTable {
  const fields = Object.entries(row).filter((entry): entry is [string, Exclude<CellValue, null>] => entry[1] !== null && !(entry[1] instanceof Uint8Array));
  return {
    columns: [
      { name: 'field', kind: 'text' },
      { name: 'value', kind: 'text' },
    ],
    rows: fields.map(([name, value]) => [name, formatForPeople(value, kindOf(name, value))]),
  };
}

export function rowsTable(rows: readonly Row[]): ResultTable {
  const names = Object.keys(rows[0] ?? {});
  return {
    columns: names.map((name) => ({ name, kind: kindOf(name, rows[0]?.[name] ?? null) })),
    rows: rows.map((row) => names.map((name) => row[name] as CellValue)),
  };
}

function kindOf(name: string, value: CellValue | Uint8Array): CellKind {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value !== 'bigint' && typeof value !== 'number') return 'text';
  if (/_(time|at|from)$|^hour$/.test(name)) return 'timestamp';
  return name.endsWith('_date') ? 'date' : 'integer';
}
