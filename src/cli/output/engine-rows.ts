import type { CellValue, ResultTable } from '../../domain/result-table.ts';
import { formatForPeople } from '../../rendering/format-cell.ts';
import { kindByName, type PlainRow } from '../../rendering/plain-object.ts';

/** A row a line, `name  value`, without what is NULL. */
export function listOfFields(row: PlainRow): ResultTable {
  const fields = Object.entries(row).filter((entry): entry is [string, Exclude<CellValue, null>] => entry[1] !== null && !(entry[1] instanceof Uint8Array));
  return {
    columns: [
      { name: 'field', kind: 'text' },
      { name: 'value', kind: 'text' },
    ],
    rows: fields.map(([name, value]) => [name, formatForPeople(value, kindByName(name, value))]),
  };
}

export function rowsTable(rows: readonly PlainRow[]): ResultTable {
  const names = Object.keys(rows[0] ?? {});
  return {
    columns: names.map((name) => ({ name, kind: kindByName(name, rows[0]?.[name] ?? null) })),
    rows: rows.map((row) => names.map((name) => row[name] as CellValue)),
  };
}
