/** CSV as RFC 4180 has it: a header row, quoted cells, LF or CRLF. Every cell is text. */
import { type Decoded, utf8 } from './decode.ts';

export function decodeCsv(bytes: Uint8Array, recordBytes: number, delimiter: string, columns: readonly string[]): Decoded[] {
  const input = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  const lines = splitRows(input, delimiter);
  const first = lines.shift();
  if (first === undefined) return [];
  const header = first.cells?.map((cell) => utf8(cell)?.trim());
  if (header === undefined || header.includes(undefined)) return [{ problem: 'malformed' }];
  if (columns.some((column) => header.filter((name) => name === column).length > 1)) return [{ problem: 'malformed' }];

  return lines.map(({ cells, source }): Decoded => {
    if (source.length > recordBytes) return { problem: 'too_large' };
    const texts = cells?.map(utf8);
    if (texts === undefined || texts.length !== header.length) return { problem: 'malformed' };
    const members: [string, { kind: 'text'; text: string }][] = [];
    for (const [i, text] of texts.entries()) {
      if (text === null) return { problem: 'malformed' };
      members.push([header[i]!, { kind: 'text', text }]);
    }
    return { record: { kind: 'nested', text: '', members } };
  });
}

/**
 * The rows that are not blank. One without cells does not decode. A quote stands around a cell, or is doubled in a quoted one: a row
 * that has it elsewhere ends with its first line, so that it costs no other. Cut inside quotes, a row is the last.
 */
function splitRows(input: string, delimiter: string): { cells: string[] | null; source: string }[] {
  const rows: { cells: string[] | null; source: string }[] = [];
  let [cells, cell, start]: [string[], string, number] = [[], '', 0];
  let [inside, quoted] = [false, false];
  for (let at = 0; at <= input.length; at++) {
    const char = input[at];
    if (inside) {
      if (char === undefined) return [...rows, { cells: null, source: input.slice(start) }];
      if (char !== '"') cell += char;
      else if (input[at + 1] === '"') cell += input[at++];
      else inside = false;
    } else if (char === '"' && cell === '' && !quoted) {
      [inside, quoted] = [true, true];
    } else if (char === delimiter) {
      cells.push(cell);
      [cell, quoted] = ['', false];
    } else if (char === undefined || char === '\n' || (char === '\r' && input[at + 1] === '\n')) {
      cells.push(cell);
      if (at > start) rows.push({ cells, source: input.slice(start, at) });
      if (char === '\r') at++;
      [cells, cell, start, quoted] = [[], '', at + 1, false];
    } else if (quoted || char === '"') {
      const lineBreak = input.indexOf('\n', start);
      at = lineBreak < 0 ? input.length : lineBreak;
      rows.push({ cells: null, source: input.slice(start, at) });
      [cells, cell, start, quoted] = [[], '', at + 1, false];
    } else cell += char;
  }
  return rows;
}
