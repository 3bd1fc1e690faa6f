import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Collector, Receipt } from '../collector/collector.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { FEEDS, type Feed } from '../domain/feeds.ts';
import type { Operation } from './api/operation.ts';
import type { BodyBudget, Holding } from './body-budget.ts';
import { recordsOfCloudEvents } from './cloud-events.ts';
import { type BodyForm, bodyFormOf, CONTENT_TYPES, type Coding, codingOf, requireCoding } from './content-types.ts';
import type { ServerLimits } from './limits.ts';
import { readBody } from './read-body.ts';
import { receiptSchema, sendReceipt } from './receipt.ts';
import { unpackText } from './unpack.ts';

export interface CollectOptions {
  readonly collector: Collector;
  readonly limits: ServerLimits;
  readonly budget: BodyBudget;
}

interface CollectRequest {
  Params: { feed: string };
  Querystring: { delimiter?: string | string[] };
}

const operation: Operation = {
  id: 'sendRecords',
  tag: 'records',
  summary: 'Send records of a feed',
  description:
    'An answer of 200 or 422 means that the records are on disk, the refused ones in quarantine. They may be compressed (`Content-Encoding`: gzip or zstd). Sending them again is safe.',
  params: z.strictObject({ feed: z.enum(FEEDS) }),
  query: z.strictObject({ delimiter: z.string().length(1).optional().describe('Between the cells of CSV; a comma where it is not said.') }),
  body: Object.fromEntries(CONTENT_TYPES.map((type) => [type, null])),
  answers: {
    200: { description: 'What became of the records.', content: { 'application/json': receiptSchema } },
    422: {
      description: 'Every record was refused: a problem document that has the outcome too.',
      content: {
        'application/problem+json': z.looseObject({
          ...receiptSchema.shape,
          type: z.string(),
          title: z.string(),
          status: z.int(),
          detail: z.string(),
          next: z.string(),
        }),
      },
    },
  },
};

/** `POST /v1/events/{feed}`. */
export function registerCollect(app: FastifyInstance, options: CollectOptions): void {
  app.removeAllContentTypeParsers();
  // The body is read below, once the request is known to be one that is taken.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.post<CollectRequest>('/v1/events/:feed', { config: { role: 'ingest', readsBody: true, operation } }, async (request, reply) => {
    const holding = options.budget.open();
    try {
      return sendReceipt(await collect(options, request, reply, holding), request, reply);
    } finally {
      holding.release();
    }
  });
}

async function collect(options: CollectOptions, request: FastifyRequest<CollectRequest>, reply: FastifyReply, holding: Holding): Promise<Receipt> {
  const feed = feedOf(request.params.feed);
  const form = bodyFormOf(request.headers['content-type'], [request.query.delimiter].flat().join('') || undefined);
  const coding = codingOf(request.headers['content-encoding']);
  const limits = { maxBytes: options.limits.maxBodyBytes, budget: options.budget };
  const body = await readBody(request.raw, reply.raw, limits, holding);
  if (body.length === 0) {
    throw new AdvertiseXError('request_invalid', 'The request has no body', 'Send records in it. Where there are none, send nothing.');
  }
  requireCoding(body, coding);
  if (!('envelopes' in form)) return options.collector.take({ feed, encoding: form.encoding, delimiter: form.delimiter, body, hold: holding.grow });
  return collectEnvelopes(options, { feed, form, coding, body, holding });
}

interface Envelopes {
  readonly feed: Feed;
  readonly form: Extract<BodyForm, { envelopes: unknown }>;
  readonly coding: Coding;
  readonly body: Uint8Array;
  readonly holding: Holding;
}

async function collectEnvelopes({ collector, limits }: CollectOptions, { feed, form, coding, body, holding }: Envelopes): Promise<Receipt> {
  const text = await unpackText(body, coding, limits.maxUnpackedBytes, holding);
  const records = recordsOfCloudEvents(text, form.envelopes);
  if (records.length === 0) return { received: 0, refused: [], moreRefused: 0 };
  const lines = Buffer.from(`${records.join('\n')}\n`);
  holding.grow(lines.length);
  return collector.take({ feed, encoding: 'json', delimiter: ',', body: lines });
}

function feedOf(name: string): Feed {
  const feed = FEEDS.find((known) => known === name);
  if (feed === undefined) throw new AdvertiseXError('not_found', 'There is no feed of this name', `Send to one of: ${FEEDS.join(', ')}.`);
  return feed;
}
