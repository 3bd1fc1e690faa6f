/**
 * Golden cases are Markdown: what was received, what must come out, and beside it the reckoning by hand.
 *
 *     # A title                                   one case
 *     Text, for people.
 *     ## Settings                                 a yaml block over the defaults (optional)
 *     ## Received: clicks-conversions             one file and one batch each, in this order; a table, or a fenced json or csv block;
 *                                                 `## Received: clicks-conversions at 2026-02-01T00:00:00Z` says when
 *     ## Expected: silver.clicks                  all rows of the table, in the columns named, in any order
 *
 * In a received table a column that is not named has a plain value (see PLAIN), `(absent)` leaves the field out, `(ab × 3)` is
 * ababab, and `code` is put into the JSON as it stands. In an expected table `NULL` is null, and a key is written as the explicit id of its event.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Feed } from '../reference/feeds.ts';
import type { ReceivedFile } from '../reference/reference.ts';
import { DEFAULT_SETTINGS, type ReferenceSettings } from '../reference/words.ts';

export interface ExpectedTable {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface GoldenCase {
  readonly title: string;
  readonly settings: ReferenceSettings;
  readonly received: readonly ReceivedFile[];
  readonly expected: readonly ExpectedTable[];
}

const RECEIVED_AT = '2026-03-01T00:00:00Z';

/** What a record holds in the columns that a case does not name. */
const PLAIN: Partial<Record<Feed, Readonly<Record<string, string>>>> = {
  'ad-impressions': { creative_id: 'cr', user_id: 'u', timestamp: '2026-01-05T10:00:00Z', website: 'x.com', campaign_id: 'c' },
  'clicks-conversions': { timestamp: '2026-01-05T12:00:00Z', user_id: 'u', campaign_id: 'c', conversion_type: '' },
  'bid-requests': { timestamp: '2026-01-05T10:00:00Z', 'auction.user_id': 'u', 'auction.space_id': 's', 'auction.amount': '1' },
};

/** The cases of a chapter, which is a Markdown file beside this one. */
export function readCases(chapter: string): GoldenCase[] {
  const text = readFileSync(new URL(chapter, import.meta.url), 'utf8');
  const cases = text.split(/^# /m).slice(1).map(readCase);
  if (cases.length === 0) throw new Error(`${chapter} holds no case`);
  return cases;
}

export function chapters(): string[] {
  return readdirSync(new URL('.', import.meta.url)).filter((name) => /^\d.*\.md$/.test(name));
}

function readCase(text: string): GoldenCase {
  const [head, ...sections] = text.split(/^## /m);
  const title = head!.split('\n')[0]!.trim();
  const received: ReceivedFile[] = [];
  const expected: ExpectedTable[] = [];
  let settings = DEFAULT_SETTINGS;
  for (const section of sections) {
    const [, kind, name, at] = /^(Settings|Received|Expected)(?:: (\S+)(?: at (\S+))?)?\n/.exec(section) ?? [];
    if (kind === 'Settings') settings = merge(DEFAULT_SETTINGS, parse(fenced(section)!.text)) as ReferenceSettings;
    else if (kind === 'Received') received.push(readReceived(section, name as Feed, at ?? RECEIVED_AT, received.length));
    else if (kind === 'Expected') expected.push({ table: name!, ...splitTable(section) });
    else throw new Error(`${title}: what is "${section.split('\n')[0]}"?`);
  }
  if (received.length === 0 || expected.length === 0) throw new Error(`${title}: nothing received or nothing expected`);
  return { title, settings, received, expected };
}

function merge(into: object, from: object): object {
  const merged: Record<string, unknown> = { ...into };
  for (const [key, value] of Object.entries(from)) merged[key] = isSection(value) ? merge((merged[key] ?? {}) as object, value) : value;
  return merged;
}

function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fenced(section: string): { language: string; text: string } | null {
  const found = /^```(\w+)\n(.*?)^```/ms.exec(section);
  return found === null ? null : { language: found[1]!, text: found[2]! };
}

function readReceived(section: string, feed: Feed, at: string, batch: number): ReceivedFile {
  const block = fenced(section);
  const shared = { feed, source: `file-${batch}`, batch, receivedAtMicros: BigInt(Date.parse(at)) * 1000n };
  if (block === null) return { ...shared, encoding: 'json', bytes: Buffer.from(renderJson(feed, splitTable(section))) };
  // A line break at the end of the block belongs to the fence; \x and \u escapes in a csv block stand for bytes and characters.
  const text = block.text.replace(/\n$/, '');
  return {
    ...shared,
    encoding: block.language as 'json' | 'csv',
    bytes: block.language === 'csv' ? Buffer.from(unescapeBytes(text), 'latin1') : Buffer.from(text),
  };
}

function unescapeBytes(text: string): string {
  return text.replace(/\\r/g, '\r').replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function splitTable(section: string): { columns: string[]; rows: string[][] } {
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  const cells = lines.map((line) =>
    line
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.trim()),
  );
  const [columns, , ...rows] = cells;
  for (const row of rows) if (row.length !== columns!.length) throw new Error(`${row.join('|')} has not the ${columns!.length} cells of its table`);
  return { columns: columns!, rows };
}

function renderJson(feed: Feed, table: { columns: string[]; rows: string[][] }): string {
  return table.rows
    .map((row) => {
      const cells = { ...PLAIN[feed], ...Object.fromEntries(table.columns.map((column, i) => [column, row[i]!])) };
      const tree: Record<string, unknown> = {};
      for (const [column, cell] of Object.entries(cells)) {
        if (cell === '(absent)') continue;
        const [outer, inner] = column.split('.') as [string, string?];
        if (inner === undefined) tree[outer] = cell;
        else tree[outer] = { ...(tree[outer] as object | undefined), [inner]: cell };
      }
      return writeJson(tree);
    })
    .join('\n');
}

function writeJson(value: unknown): string {
  if (typeof value === 'string') {
    if (/^`.*`$/.test(value)) return value.slice(1, -1);
    const [, text, times] = /^\((.+) × (\d+)\)$/.exec(value) ?? [];
    return JSON.stringify(text === undefined ? value : text.repeat(Number(times)));
  }
  const members = Object.entries(value as object).map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`);
  return `{${members.join(',')}}`;
}
