import type { CellValue, ResultTable } from '../../domain/result-table.ts';
import { formatForPeople } from '../../rendering/format-cell.ts';
import { textWidth } from './text-width.ts';

const GAP = 2;

/** A table small enough to be held. */
export interface SmallTable extends ResultTable {
  readonly rows: readonly (readonly CellValue[])[];
}

/** The columns that a line has room for, taken in the order of their importance and shown in the order of the table. */
export function fitColumns(table: SmallTable, mostImportantFirst: readonly string[], width: number): SmallTable {
  const chosen = new Set<number>();
  let room = width + GAP;
  for (const name of mostImportantFirst) {
    const index = table.columns.findIndex((column) => column.name === name);
    const column = table.columns[index];
    if (column === undefined) continue;
    const widest = table.rows.reduce(
      (most, row) => Math.max(most, textWidth(formatForPeople(row[index] ?? null, column.kind))),
      textWidth(column.heading ?? name),
    );
    if (widest + GAP > room) break;
    room -= widest + GAP;
    chosen.add(index);
  }
  return {
    columns: table.columns.filter((_, index) => chosen.has(index)),
    rows: table.rows.map((row) => row.filter((_, index) => chosen.has(index))),
  };
}
