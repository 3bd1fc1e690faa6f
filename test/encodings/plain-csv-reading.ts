import { FIELDS, type SeenRecord, type SeenValue } from './decode-all.ts';

/*
 * A slow, plain reading of what the CSV decoder promises (comma, no limits), over the whole input as one text, row by row
 * by one regular expression. No code of the product.
 */

/** A cell in quotes, or one without any, and what ends it. A quoted cell that the input ends in has no end. */
const CELL = /(?:"((?:[^"]|"")*)"(,|\r?\n|\r?$)|([^",\n]*?)(,|\r?\n|\r?$))/y;
const OPEN_CELL = /"(?:[^"]|"")*$/y;

interface Row {
  readonly cells: readonly string[];
  readonly end: number;
  readonly hasLineBreak: boolean;
}

export function readRows(bytes: Uint8Array): { readonly outcomes: (SeenRecord | string)[]; readonly complete: boolean } {
  // Latin-1 keeps a byte a character.
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const outcomes: (SeenRecord | string)[] = [];
  let columns: readonly string[] | undefined;
  for (let at = 0; ; ) {
    at = behindBlankLines(text, at);
    if (at >= text.length) return { outcomes, complete: true };
    const row = readRow(text, at);
    if (columns === undefined) {
      if (typeof row === 'string' || !isUtf8(text.slice(at, row.end))) return { outcomes: ['malformed'], complete: false };
      columns = row.cells.map((cell) => cell.replace(/^[ \t]+|[ \t]+$/g, ''));
      const known = columns.filter((name) => (FIELDS as readonly string[]).includes(name));
      if (new Set(known).size < known.length) return { outcomes: ['malformed'], complete: false };
      at = row.end;
    } else if (row === 'open') {
      return { outcomes: [...outcomes, 'malformed'], complete: false };
    } else if (row === 'broken') {
      outcomes.push('malformed');
      const lineEnd = text.indexOf('\n', at);
      at = lineEnd < 0 ? text.length : lineEnd;
    } else if (row.cells.length !== columns.length) {
      outcomes.push('malformed');
      if (row.cells.length < columns.length && !row.hasLineBreak) return { outcomes, complete: false };
      at = row.end;
    } else {
      outcomes.push(isUtf8(text.slice(at, row.end)) ? recordOf(columns, row.cells) : 'malformed');
      at = row.end;
    }
  }
}

function readRow(text: string, start: number): Row | 'broken' | 'open' {
  const cells: string[] = [];
  for (let at = start; ; ) {
    CELL.lastIndex = at;
    const match = CELL.exec(text);
    if (match === null) {
      OPEN_CELL.lastIndex = at;
      return OPEN_CELL.test(text) ? 'open' : 'broken';
    }
    cells.push(match[1]?.replaceAll('""', '"') ?? (match[3] as string));
    at = CELL.lastIndex;
    const ended = match[2] ?? match[4];
    if (ended !== ',') return { cells, end: at, hasLineBreak: ended?.endsWith('\n') === true };
  }
}

function behindBlankLines(text: string, at: number): number {
  const blank = /(?:\r?\n)*(?:\r$)?/y;
  blank.lastIndex = at;
  blank.test(text);
  return blank.lastIndex;
}

function recordOf(columns: readonly string[], cells: readonly string[]): SeenRecord {
  const known = columns.flatMap((name, column): [string, SeenValue][] =>
    (FIELDS as readonly string[]).includes(name) ? [[name, ['text', Buffer.from(cells[column] as string, 'latin1').toString()]]] : [],
  );
  return Object.fromEntries(known);
}

function isUtf8(text: string): boolean {
  return Buffer.from(Buffer.from(text, 'latin1').toString()).equals(Buffer.from(text, 'latin1'));
}
