import type { ResultTable } from '../../domain/result-table.ts';
import { formatForPeople, RIGHT_ALIGNED } from '../../rendering/format-cell.ts';
import { cutToWidth, textWidth } from './text-width.ts';

/** Widths are found from so many rows; the rest follows as it comes, so that a long result starts at once and is not held. */
const ROWS_MEASURED = 1_000;
const GAP = '  ';
/** A text column is not cut below this. */
const NARROWEST = 12;

export interface TableStyle {
  /** Columns of the terminal; undefined where the output is no terminal, and nothing is cut. */
  readonly width?: number | undefined;
  heading(text: string): string;
}

/** An aligned table: numbers to the right, texts to the left and cut to the terminal, one line a row. */
export async function* renderTable(table: ResultTable, style: TableStyle): AsyncGenerator<string> {
  const { columns } = table;
  const headings = columns.map((column) => column.heading ?? column.name);
  const measured: string[][] = [];
  let widths: readonly number[] | undefined;

  const line = (cells: readonly string[], shape: (cell: string, index: number) => string = (cell) => cell): string =>
    cells
      .map((cell, index) => {
        const width = widths?.[index] ?? 0;
        const whole = style.width === undefined || RIGHT_ALIGNED.has(columns[index]?.kind ?? 'text');
        const cut = whole ? cell : cutToWidth(cell, width);
        const space = ' '.repeat(Math.max(0, width - textWidth(cut)));
        const shaped = shape(cut, index);
        if (RIGHT_ALIGNED.has(columns[index]?.kind ?? 'text')) return space + shaped;
        return index === cells.length - 1 ? shaped : shaped + space;
      })
      .join(GAP);
  const opening = function* (): Generator<string> {
    widths = fitWidths(table, headings, measured, style.width);
    yield `${line(headings, style.heading)}\n`;
    for (const row of measured) yield `${line(row)}\n`;
  };

  for await (const row of table.rows) {
    const cells = row.map((value, index) => formatForPeople(value, columns[index]?.kind ?? 'text'));
    if (widths !== undefined) yield `${line(cells)}\n`;
    else if (measured.push(cells) === ROWS_MEASURED) yield* opening();
  }
  if (widths === undefined) yield* opening();
}

/** The widest of each column, then the widest text columns cut down until the line fits, but never numbers: a cut number is a wrong one. */
function fitWidths(table: ResultTable, headings: readonly string[], rows: readonly string[][], width: number | undefined): number[] {
  const widths = headings.map((heading, index) => rows.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? '')), textWidth(heading)));
  if (width === undefined) return widths;
  let excess = widths.reduce((sum, each) => sum + each + GAP.length, -GAP.length) - width;
  while (excess > 0) {
    const widest = widths.reduce((best, each, index) => {
      const cuttable = !RIGHT_ALIGNED.has(table.columns[index]?.kind ?? 'text') && each > NARROWEST;
      return cuttable && each > (widths[best] ?? 0) ? index : best;
    }, -1);
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}
