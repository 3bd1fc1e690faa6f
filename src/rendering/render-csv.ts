import type { CellKind, CellValue, ResultTable } from '../domain/result-table.ts';
import { formatForPrograms } from './format-cell.ts';

/** RFC 4180: a header, CRLF, quotes where a cell holds a comma, quote or line break. NULL is an empty cell, an empty text is `""`. */
export async function* renderCsv(table: ResultTable): AsyncGenerator<string> {
  yield `${table.columns.map((column) => quote(column.name)).join(',')}\r\n`;
  for await (const row of table.rows) yield `${row.map((value, index) => csvCell(value, table.columns[index]?.kind ?? 'text')).join(',')}\r\n`;
}

function csvCell(value: CellValue, kind: CellKind): string {
  if (value === null) return '';
  const text = formatForPrograms(value, kind);
  return text === '' ? '""' : quote(text);
}

function quote(text: string): string {
  // A space at an end is kept by the standard and dropped by some readers: quoted, it is safe.
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
