import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Explanation } from '../../app/explain.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { EVENT_TYPES } from '../../domain/feeds.ts';
import { plainObject } from '../../rendering/plain-object.ts';
import { jsonCell } from '../../rendering/render-json.ts';
import { type Api, readingFor, sendAnswer } from './api.ts';
import { addRoute } from './operation.ts';
import { answeredAsOf, asOf, scalar } from './schemas.ts';

const row = z.record(z.string(), scalar);

const explanation = z.strictObject({
  as_of: answeredAsOf,
  event_type: z.enum(EVENT_TYPES),
  event: row.describe('The event, with where its record came from.'),
  restatements: z.array(row).describe('What later batches changed about it, in order.'),
  candidates: z
    .array(row)
    .nullable()
    .describe(
      'Of a conversion: every touch that could have got credit, and the rule that took or dropped it. Of a click: the impressions that it could belong to.',
    ),
});

export function addExplainRoute(app: FastifyInstance, { figures, freshness }: Api): void {
  addRoute(app, {
    method: 'GET',
    url: '/v1/explain/:kind/:key',
    role: 'read',
    id: 'explain',
    tag: 'figures',
    summary: 'Why an event is counted and credited as it is',
    params: z.strictObject({
      kind: z.enum(['conversion', 'event']).describe('What the key is of; `event`: of any.'),
      key: z
        .string()
        .regex(/^[0-9a-fA-F]{4,32}$/, 'has to be 4 to 32 hex digits of an event_key')
        .describe('event_key, or the first digits of it.'),
    }),
    query: z.strictObject({ as_of: asOf }),
    answers: {
      200: { description: 'The explanation.', content: { 'application/json': explanation }, headers: { ETag: 'Stays the same until a batch is committed.' } },
      304: { description: 'Nothing was committed since the answer that `If-None-Match` names.' },
    },
    answer: async ({ params: { kind, key }, query: { as_of = figures.lastBatch }, request, reply }) => {
      const unchanged = freshness.answerUnchanged(request, reply, figures.lastBatch);
      if (unchanged !== undefined) return unchanged;
      const explained = await figures.explain(key, readingFor(reply, as_of));
      const { eventType } = explained;
      if (kind === 'conversion' && eventType !== 'conversion') {
        throw new AdvertiseXError('not_found', `${key} is no conversion: it is of the type ${eventType}`, `Ask for /v1/explain/event/${key}.`);
      }
      return sendAnswer(reply, explanation, { as_of, event_type: eventType, ...(await detailsOf(explained)) });
    },
  });
}

async function detailsOf({
  event,
  restatements,
  candidates,
}: Explanation): Promise<Pick<z.input<typeof explanation>, 'event' | 'restatements' | 'candidates'>> {
  const rows: z.input<typeof row>[] = [];
  for await (const cells of candidates?.rows ?? []) {
    rows.push(Object.fromEntries((candidates?.columns ?? []).map(({ name, kind }, index) => [name, jsonCell(cells[index] ?? null, kind)])));
  }
  return { event: scalars(event), restatements: restatements.map(scalars), candidates: candidates === undefined ? null : rows };
}

function scalars(given: Explanation['event']): z.input<typeof row> {
  return Object.fromEntries(
    Object.entries(plainObject(given)).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : jsonCell(value as never, 'text'),
    ]),
  );
}
