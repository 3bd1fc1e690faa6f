import type { CellValue, ResultColumn, ResultTable } from '../domain/result-table.ts';

/** A small result, read whole. */
export async function readRows(table: ResultTable): Promise<(readonly CellValue[])[]> {
  const rows: (readonly CellValue[])[] = [];
  for await (const row of table.rows) rows.push(row);
  return rows;
}

/** The same result with other headings or kinds for some columns. */
export function describeColumns(table: ResultTable, columns: Readonly<Record<string, Partial<ResultColumn>>>): ResultTable {
  return { columns: table.columns.map((column) => ({ ...column, ...columns[column.name] })), rows: table.rows };
}
