/**
 * A table of results on its way to a person or a program: what a query or a report gives, and the command line and the server
 * render. Values stay exact here; how a kind looks (grouped digits, percent) is decided where it is shown.
 */
export interface ResultTable {
  readonly columns: readonly ResultColumn[];
  /** One array a row, index for index with `columns`. May arrive bit by bit: a query can give more rows than memory holds. */
  readonly rows: Iterable<readonly CellValue[]> | AsyncIterable<readonly CellValue[]>;
}

export interface ResultColumn {
  /** As programs see it (JSON, CSV). */
  readonly name: string;
  /** As a table for people heads it, where that is another word. */
  readonly heading?: string;
  readonly kind: CellKind;
}

/**
 * text · integer: digits as they are · count: an integer that a person reads with grouped digits · decimal: any other number ·
 * money_micros: integer micros · ratio: a number whose 1 is 100 % · boolean · timestamp: microseconds since 1970, UTC ·
 * date: days since 1970.
 */
export type CellKind = 'text' | 'integer' | 'count' | 'decimal' | 'money_micros' | 'ratio' | 'boolean' | 'timestamp' | 'date';

export type CellValue = string | number | bigint | boolean | null;
