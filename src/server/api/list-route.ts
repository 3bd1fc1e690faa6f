import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { PageAsked, Reading } from '../../app/instance-figures.ts';
import type { RowPage } from '../../app/row-pages.ts';
import { jsonCell } from '../../rendering/render-json.ts';
import { type Api, readingFor, sendAnswer } from './api.ts';
import { addRoute, type Operation } from './operation.ts';
import { answeredAsOf, asOf, wholeNumber } from './schemas.ts';

const ROWS_BY_DEFAULT = 100;
const MAX_ROWS = 1_000;

const PAGE = {
  limit: wholeNumber(1, MAX_ROWS).optional().describe(`Rows at most; ${ROWS_BY_DEFAULT} where it is not said.`),
  cursor: z.string().min(1).max(8_192).optional().describe('Where to go on, as the page before says it in `next`; with the same filters.'),
  as_of: asOf,
};

export interface List<Filter extends z.ZodRawShape> extends Pick<Operation, 'id' | 'tag' | 'summary' | 'description'> {
  readonly url: string;
  readonly filter: Filter;
  readonly row: z.ZodType;
  readonly read: (filter: z.output<z.ZodObject<Filter>>, asked: PageAsked, reading: Reading) => Promise<RowPage>;
}

/** `GET` of a list, page by page. Every page shows the batch that the first one showed, so no row is missed or comes twice. */
export function addListRoute<Filter extends z.ZodRawShape>(app: FastifyInstance, api: Api, { url, filter, row, read, ...about }: List<Filter>): void {
  const { figures, freshness, cursors } = api;
  const page = z.strictObject({
    as_of: answeredAsOf,
    rows: z.array(row),
    next: z.string().nullable().describe('The address of the next page, also in `Link`; null on the last one.'),
  });
  addRoute(app, {
    method: 'GET',
    url,
    role: 'read',
    ...about,
    query: z.strictObject({ ...PAGE, ...filter }),
    answers: {
      200: {
        description: 'A page of rows, the newest first.',
        content: { 'application/json': page },
        headers: { ETag: 'Stays the same until a batch is committed.', Link: 'The next page, with `rel="next"` (RFC 8288).' },
      },
      304: { description: 'Nothing was committed since the answer that `If-None-Match` names.' },
    },
    answer: async ({ query, request, reply }) => {
      const { limit = ROWS_BY_DEFAULT, cursor, as_of, ...values } = query as z.output<z.ZodObject<typeof PAGE>> & z.output<z.ZodObject<Filter>>;
      // What stands in the address besides the place: another filter is another list.
      const { cursor: _, limit: __, ...fixed } = request.query as Record<string, string>;
      const list = JSON.stringify([url, Object.entries(fixed).sort()]);
      const place = cursor === undefined ? undefined : cursors.read(cursor, list);
      const unchanged = freshness.answerUnchanged(request, reply, figures.lastBatch);
      if (unchanged !== undefined) return unchanged;
      const reading = readingFor(reply, place?.asOf ?? as_of ?? figures.lastBatch);
      const asOf = reading.asOf as number;
      const { columns, rows, last } = await read(values as z.output<z.ZodObject<Filter>>, { limit, ...(place && { after: place.after }) }, reading);
      const next = last && `${url}?${new URLSearchParams({ ...fixed, limit: String(limit), cursor: cursors.write({ asOf, after: last }, list) })}`;
      if (next !== undefined) reply.header('link', `<${next}>; rel="next"`);
      const objects = rows.map((cells) => Object.fromEntries(columns.map(({ name, kind }, index) => [name, jsonCell(cells[index] ?? null, kind)])));
      return sendAnswer(reply, page, { as_of: asOf, rows: objects as never, next: next ?? null });
    },
  });
}
