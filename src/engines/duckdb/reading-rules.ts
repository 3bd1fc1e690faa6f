import type { DuckDBConnection } from '@duckdb/node-api';
import { AdvertiseXError } from '../../domain/errors.ts';

/**
 * What a statement that someone sends may do: read tables. DuckDB's own parser says what is in it, before anything is bound, as
 * binding opens the files that a statement names. What is not known to be harmless is refused.
 *
 * This is one of three lines: the engine can open no file but those of its data directory, and a statement runs in a transaction
 * that is read-only. It is the one that keeps statements from those files, and from the functions that change the engine (`enable_logging`,
 * `force_checkpoint`), read memory (`arrow_scan`) or run a text as another statement (`query`).
 */
export async function requireReading(connection: DuckDBConnection, sql: string): Promise<void> {
  // The same text is parsed alike every time: a dashboard asks the same again and again.
  if (HARMLESS.has(sql)) return;
  // EXPLAIN ANALYZE runs what it explains; comments before it are not looked for, as where one ends is the parser's to say.
  const explained = sql.replace(EXPLAIN, '');
  const reader = await connection.runAndReadAll('select json_serialize_sql(cast($sql as varchar))', { sql: explained });
  const parsed = JSON.parse(String(reader.getRows()[0]?.[0])) as ParsedSql;
  if (parsed.error) {
    throw parsed.error_type === 'parser' || parsed.error_type === 'syntax'
      ? new AdvertiseXError(
          'query_invalid',
          `The query cannot be run: ${parsed.error_message}`,
          'Correct the query; `advertisex query "show all tables"` lists the tables.',
        )
      : readingRefusal('Only queries can be run: SELECT, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN');
  }
  if (parsed.statements?.length !== 1) throw readingRefusal('One statement at a time can be run');
  requireHarmless(parsed.statements[0]);
  if (sql.length > LONGEST_KEPT) return;
  if (HARMLESS.size >= TEXTS_KEPT) HARMLESS.clear();
  HARMLESS.add(sql);
}

const HARMLESS = new Set<string>();
const TEXTS_KEPT = 200;
const LONGEST_KEPT = 20_000;

export function readingRefusal(message: string): AdvertiseXError {
  return new AdvertiseXError('query_invalid', message, 'Write one query over the tables in silver, gold, ops and ref.');
}

interface ParsedSql {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly statements?: readonly unknown[];
}

const EXPLAIN = /^\s*explain\s+(?:analyze\s+|\(\s*(?:analyze|format\s+\w+)(?:\s*,\s*(?:analyze|format\s+\w+))*\s*\)\s*)?/i;

/** What is in memory anyway, or makes rows of its arguments. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'duckdb_columns',
  'duckdb_functions',
  'duckdb_keywords',
  'duckdb_memory',
  'duckdb_schemas',
  'duckdb_settings',
  'duckdb_tables',
  'duckdb_types',
  'duckdb_views',
  'generate_series',
  'icu_calendar_names',
  'json_each',
  'json_tree',
  'pg_timezone_names',
  'pragma_table_info',
  'pragma_version',
  'range',
  'repeat',
  'repeat_row',
  'unnest',
]);

/** Scalar functions that change something, wherever they stand. */
const CHANGING_FUNCTIONS: ReadonlySet<string> = new Set(['nextval', 'setseed', 'write_log']);

/** Nothing of the kind is in the name of a table, and all of it can stand in that of a file. */
const FILE_NAME = /[./\\:*?[\]]/;

function requireHarmless(statement: unknown): void {
  const left: unknown[] = [statement];
  // Without recursion: how deep a statement is nested is up to who wrote it.
  while (left.length > 0) {
    const node = left.pop();
    if (typeof node !== 'object' || node === null) continue;
    if (!Array.isArray(node)) requireHarmlessNode(node as SyntaxNode);
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) left.push(child);
  }
}

interface SyntaxNode {
  readonly type?: unknown;
  readonly function?: { readonly function_name?: unknown };
  readonly function_name?: unknown;
  readonly table_name?: unknown;
}

function requireHarmlessNode(node: SyntaxNode): void {
  if (node.type === 'TABLE_FUNCTION') {
    const name = String(node.function?.function_name).toLowerCase();
    if (!TABLE_FUNCTIONS.has(name)) throw readingRefusal(`The table function ${name} is not open to queries`);
  }
  if (typeof node.function_name === 'string' && CHANGING_FUNCTIONS.has(node.function_name.toLowerCase())) {
    throw readingRefusal(`The function ${node.function_name} is not open to queries`);
  }
  if (typeof node.table_name === 'string' && FILE_NAME.test(node.table_name)) throw readingRefusal(`${node.table_name} is not a table`);
}
