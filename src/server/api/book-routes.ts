import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { FEEDS, FILE_ENCODINGS } from '../../domain/feeds.ts';
import type { Api } from './api.ts';
import { addListRoute } from './list-route.ts';
import { integer, text, timestamp, wholeNumber } from './schemas.ts';

const outcomes = { received: integer, accepted: integer, duplicate: integer, quarantined: integer };
const feed = z.enum(FEEDS).optional().describe('Rows of this feed.');
const batch = wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().describe('Rows of this batch.');
const counted = 'Replayed records count where they were received first: their outcome moves.';

/** What was taken, and what became of it. */
export function addBookRoutes(app: FastifyInstance, api: Api): void {
  const { figures } = api;

  addListRoute(app, api, {
    url: '/v1/batches',
    id: 'listBatches',
    tag: 'books',
    summary: 'Committed batches',
    filter: {},
    row: z.strictObject({
      batch_id: integer,
      cause: z.string(),
      committed_at: timestamp,
      ...outcomes,
      restated: integer.describe('Rows of earlier batches that this one took back.'),
    }),
    read: (_, asked, reading) => figures.books('batches', {}, asked, reading),
  });

  addListRoute(app, api, {
    url: '/v1/ledger',
    id: 'listLedger',
    tag: 'books',
    summary: 'Outcomes by source, feed, batch and hour of receipt',
    description: counted,
    filter: { feed, batch_id: batch, source: text.optional().describe('Rows of this source.') },
    row: z.strictObject({ batch_id: integer, hour: timestamp, feed: z.string(), source: z.string(), ...outcomes }),
    read: (filter, asked, reading) => figures.books('ledger', filter, asked, reading),
  });

  addListRoute(app, api, {
    url: '/v1/restatements',
    id: 'listRestatements',
    tag: 'books',
    summary: 'What later batches took back of earlier ones, and why',
    filter: {
      batch_id: batch,
      table_name: text.optional().describe('Rows of this table.'),
      cause: z.enum(['late', 'replay', 'reference', 'erasure', 'model']).optional().describe('Rows with this cause.'),
    },
    row: z.strictObject({ batch_id: integer, table_name: z.string(), row_key: z.string(), since_batch: integer, cause: z.string() }),
    read: (filter, asked, reading) => figures.books('restatements', filter, asked, reading),
  });

  addListRoute(app, api, {
    url: '/v1/files',
    id: 'listFiles',
    tag: 'books',
    summary: 'Files that were taken, and how far',
    filter: { feed },
    row: z.strictObject({
      path: z.string(),
      feed: z.string(),
      sha256: z.string(),
      encoding: z.enum(FILE_ENCODINGS),
      bytes: integer,
      records: integer,
      accepted: integer,
      duplicate: integer,
      quarantined: integer,
      done: z.boolean().describe('Nothing is left to take.'),
      complete: z.boolean().describe('False where it was cut or damaged.'),
      received_at: timestamp,
      batch_id: integer,
      version: z.string().nullable().describe('Of an object, its etag.'),
    }),
    read: (filter, asked, reading) => figures.books('files', filter, asked, reading),
  });
}
