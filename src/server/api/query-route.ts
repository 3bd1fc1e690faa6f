import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ResultTable } from '../../domain/result-table.ts';
import { renderCsv } from '../../rendering/render-csv.ts';
import { jsonCell } from '../../rendering/render-json.ts';
import { type Api, readingFor } from './api.ts';
import { addRoute } from './operation.ts';
import { scalar } from './schemas.ts';
import { formatOf, sendRows } from './send-rows.ts';

const ROWS_BY_DEFAULT = 1_000;
const MAX_ROWS = 10_000;

const body = z.strictObject({
  sql: z
    .string()
    .min(1)
    .max(500_000)
    .regex(/^[^\u0000]*$/, 'has a NUL character')
    .describe('One query: SELECT, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN over the tables in silver, gold, ops and ref.'),
  as_of: z.int().min(1).optional().describe('With the tables as they were after this batch. Without it: as they are.'),
  limit: z.int().min(1).max(MAX_ROWS).optional().describe(`Rows at most. Without it: ${ROWS_BY_DEFAULT} in JSON, all of them in CSV.`),
});

const column = z.strictObject({
  name: z.string(),
  kind: z
    .enum(['text', 'integer', 'decimal', 'boolean', 'timestamp', 'date'])
    .describe('Integers beyond 2⁵³, decimals of fixed places, times and dates are strings.'),
});

export const queryResult = z.strictObject({
  as_of: z.int().nullable().describe('What was asked for; null: as the tables are.'),
  columns: z.array(column),
  rows: z.array(z.array(scalar)).describe('A value a column, in the order of the columns.'),
  more: z.boolean().describe('There are more rows than these: narrow the query, raise `limit`, or ask for CSV.'),
});

export function addQueryRoute(app: FastifyInstance, { figures }: Api): void {
  addRoute(app, {
    method: 'POST',
    url: '/v1/query',
    role: 'read',
    id: 'query',
    tag: 'figures',
    summary: 'Read-only SQL over all tables',
    description: 'With `Accept: text/csv` the rows are sent as CSV, as they come. A query is stopped when its connection is closed.',
    body,
    answers: { 200: { description: 'The first rows.', content: { 'application/json': queryResult, 'text/csv': null } } },
    answer: async ({ body: { sql, as_of = null, limit }, request, reply }) => {
      const reading = readingFor(reply, as_of);
      const table = await figures.query(sql, reading);
      const format = formatOf(request);
      const parts = format === 'csv' ? renderCsv(firstRows(table, limit)) : queryJson(table, as_of, limit ?? ROWS_BY_DEFAULT);
      return sendRows(reply, parts, format, reading);
    },
  });
}

async function* queryJson({ columns, rows }: ResultTable, asOf: number | null, limit: number): AsyncGenerator<string> {
  yield `{"as_of":${asOf},"columns":${JSON.stringify(columns.map(({ name, kind }) => ({ name, kind })))},"rows":[`;
  let sent = 0;
  let more = false;
  for await (const row of rows) {
    if (sent === limit) {
      more = true;
      break;
    }
    yield `${sent++ === 0 ? '\n' : ',\n'}${JSON.stringify(columns.map(({ kind }, index) => jsonCell(row[index] ?? null, kind)))}`;
  }
  yield `\n],"more":${more}}\n`;
}

function firstRows({ columns, rows }: ResultTable, limit: number | undefined): ResultTable {
  if (limit === undefined) return { columns, rows };
  return { columns, rows: take(rows, limit) };
}

async function* take<Row>(rows: Iterable<Row> | AsyncIterable<Row>, limit: number): AsyncGenerator<Row> {
  let taken = 0;
  for await (const row of rows) {
    yield row;
    if (++taken === limit) return;
  }
}
