/** Opening line of a page that a script writes. */
export const MADE_BY = '<!-- Made by `npm run docs`; change what it is made from, not this page. -->';

/** A Markdown table. Cells are escaped, so that a `|` in one does not end it. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
