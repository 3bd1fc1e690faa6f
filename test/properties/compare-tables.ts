/** Compares tables as sets of rows, and says the first difference so that a person can see what is wrong. */
import type { Row, Value } from '../reference/words.ts';

export type Tables = Readonly<Record<string, readonly Row[]>>;

/** Where a record came from: it depends on which of several equal records was received first. */
export const PROVENANCE = ['source', 'position', 'batch_id', 'received_at'] as const;

/** What tells the rows of a table apart, to put beside each other two rows that should be the same. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  'gold.attribution': ['conversion_key', 'touch_key'],
  'gold.campaign_hourly': ['hour', 'campaign_id'],
  'gold.campaign_daily': ['report_date', 'campaign_id'],
  'gold.creative_daily': ['report_date', 'creative_id', 'campaign_id'],
  'gold.website_daily': ['report_date', 'website'],
  'gold.user_campaign_daily': ['report_date', 'campaign_id', 'user_id'],
  'gold.auction_daily': ['report_date', 'campaign_id', 'space_id'],
  'gold.conversion_lag': ['report_date', 'campaign_id', 'lag_bucket'],
  'ref.campaigns': ['campaign_id'],
  'ref.creatives': ['creative_id', 'valid_from'],
  'ref.users': ['user_id'],
  'ref.currency_rates': ['rate_date', 'currency'],
  'ops.quarantine': ['feed', 'source', 'position'],
  'ops.outcomes': ['feed', 'source'],
};

/** Null when both hold the same; else the first table and rows that differ. Columns that only `actual` has are not looked at. */
export function compareTables(expected: Tables, actual: Tables, ignored: readonly string[] = []): string | null {
  for (const [name, rows] of Object.entries(expected)) {
    const found = actual[name];
    if (found === undefined) return `${name} is not there`;
    const difference = compareRows(name, rows, found, ignored);
    if (difference !== null) return difference;
  }
  return null;
}

function compareRows(name: string, expected: readonly Row[], actual: readonly Row[], ignored: readonly string[]): string | null {
  const columns = [...new Set(expected.flatMap((row) => Object.keys(row)))].filter((column) => !ignored.includes(column));
  const lost = actual[0] === undefined ? [] : columns.filter((column) => !(column in actual[0]!));
  if (lost.length > 0) return `${name} has no column ${lost.join(', ')}`;

  const text = (row: Row) => columns.map((column) => show(row[column])).join(' | ');
  const count = (rows: readonly Row[]) => rows.reduce((counts, row) => counts.set(text(row), (counts.get(text(row)) ?? 0) + 1), new Map<string, number>());
  const [wanted, found] = [count(expected), count(actual)];
  const missing = expected.filter((row) => (found.get(text(row)) ?? 0) < wanted.get(text(row))!);
  const surplus = actual.filter((row) => (columns.length > 0 ? (wanted.get(text(row)) ?? 0) : 0) < (found.get(text(row)) ?? 1));
  if (missing.length === 0 && surplus.length === 0) return null;

  const key = (row: Row) => (KEYS[name] ?? ['event_key']).map((column) => show(row[column])).join(' ');
  const head = `${name}: ${expected.length} rows expected, ${actual.length} found; ${missing.length} not found, ${surplus.length} not expected`;
  const twin = missing.length > 0 ? surplus.find((row) => key(row) === key(missing[0]!)) : undefined;
  if (missing.length === 0) return `${head}\nnot expected: ${showRow(surplus[0]!)}`;
  if (twin === undefined) return `${head}\nnot found: ${showRow(missing[0]!, columns)}`;
  const different = columns.filter((column) => show(missing[0]![column]) !== show(twin[column]));
  const cells = different.map((column) => `  ${column}: expected ${show(missing[0]![column])}, found ${show(twin[column])}`);
  return `${head}\nat ${key(twin)}:\n${cells.join('\n')}\nwhole row: ${showRow(twin)}`;
}

function show(value: Value | undefined): string {
  return value === null
    ? 'NULL'
    : value === undefined
      ? '(absent)'
      : typeof value === 'bigint' && value > 10n ** 14n
        ? `${value} (${time(value)})`
        : `${value}`;
}

function time(micros: bigint): string {
  return micros < 10n ** 16n ? new Date(Number(micros / 1000n)).toISOString() : '';
}

function showRow(row: Row, columns = Object.keys(row)): string {
  return columns.map((column) => `${column}=${show(row[column])}`).join(' ');
}
