import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { QuarantinedRecord } from '../../app/quarantine.ts';
import { FEEDS } from '../../domain/feeds.ts';
import { QUARANTINE_CODES, type QuarantineCode } from '../../domain/outcome.ts';
import { formatForPrograms } from '../../rendering/format-cell.ts';
import { decodeText } from '../../rendering/plain-object.ts';
import { type Api, readingFor, sendAnswer } from './api.ts';
import { addListRoute } from './list-route.ts';
import { addRoute } from './operation.ts';
import { answeredAsOf, asOf, integer, moment, timestamp } from './schemas.ts';

const code = z.enum(Object.keys(QUARANTINE_CODES) as [QuarantineCode, ...QuarantineCode[]]);
const id = z.string().regex(/^[0-9a-fA-F]{1,32}$/, 'has to be hex digits of a quarantine_id');

const filter = {
  feed: z.enum(FEEDS).optional().describe('Records of this feed.'),
  code: code.optional().describe('Records whose first broken rule has this code.'),
  // An empty one is meant too: what is about a record as a whole.
  path: z
    .string()
    .max(1_024)
    .regex(/^[^\u0000]*$/, 'has a NUL character')
    .optional()
    .describe('Records whose first broken rule is about this field, as a JSON pointer.'),
  since: moment.optional().describe('Received then or later.'),
  until: moment.optional().describe('Received before.'),
};

const about = {
  quarantine_id: z.string(),
  feed: z.string(),
  source: z.string(),
  position: integer,
  received_at: timestamp,
  replayed_at: timestamp.nullable().describe('When it was replayed to success.'),
};

const whole = z.strictObject({
  as_of: answeredAsOf,
  ...about,
  encoding: z.string(),
  contract_version: z.string(),
  violations: z.array(z.strictObject({ code: z.string(), pointer: z.string(), message: z.string() })).describe('Every rule that it broke.'),
  raw: z.string().optional().describe('As it was received, where that is UTF-8.'),
  raw_base64: z.string().optional().describe('As it was received, where that is no text.'),
});

const replay = z.strictObject({
  ...filter,
  ids: z.array(id).min(1).max(1_000).optional().describe('Records by their quarantine_id; its first digits are enough.'),
});

const replayed = z.strictObject({
  replayed: z.int(),
  accepted: z.int(),
  duplicate: z.int(),
  still_quarantined: z.int(),
  batches: z.array(z.int()).describe('The batches that it made.'),
});

export function addQuarantineRoutes(app: FastifyInstance, api: Api): void {
  const { figures, freshness } = api;

  addListRoute(app, api, {
    url: '/v1/quarantine',
    id: 'listQuarantine',
    tag: 'quarantine',
    summary: 'Records that broke their contract',
    filter: {
      ...filter,
      all: z.enum(['true', 'false']).optional().describe('`true`: those that were replayed to success as well.'),
    },
    row: z.strictObject({ ...about, code: z.string(), path: z.string(), message: z.string() }),
    read: ({ all, ...chosen }, asked, reading) => figures.quarantine({ ...given(chosen), all: all === 'true' }, asked, reading),
  });

  addRoute(app, {
    method: 'GET',
    url: '/v1/quarantine/:id',
    role: 'read',
    id: 'showQuarantined',
    tag: 'quarantine',
    summary: 'One record with every rule that it broke, and its bytes',
    params: z.strictObject({ id: id.describe('quarantine_id, or the first digits of it.') }),
    query: z.strictObject({ as_of: asOf }),
    answers: {
      200: { description: 'The record.', content: { 'application/json': whole }, headers: { ETag: 'Stays the same until a batch is committed.' } },
      304: { description: 'Nothing was committed since the answer that `If-None-Match` names.' },
    },
    answer: async ({ params, query: { as_of = figures.lastBatch }, request, reply }) => {
      const unchanged = freshness.answerUnchanged(request, reply, figures.lastBatch);
      if (unchanged !== undefined) return unchanged;
      return sendAnswer(reply, whole, wholeRecord(await figures.quarantined(params.id, readingFor(reply, as_of)), as_of));
    },
  });

  addRoute(app, {
    method: 'POST',
    url: '/v1/quarantine/replay',
    role: 'admin',
    id: 'replayQuarantine',
    tag: 'quarantine',
    summary: 'Put records through again, after a contract or reference data changed',
    description: 'By the contracts, settings and reference data of today. `{}` chooses all that are in quarantine. It goes on where the connection is closed.',
    body: replay,
    answers: { 200: { description: 'What became of them.', content: { 'application/json': replayed } } },
    answer: async ({ body, reply }) => {
      const { stillQuarantined, ...summary } = await figures.replay(given(body));
      return sendAnswer(reply, replayed, { ...summary, batches: [...summary.batches], still_quarantined: stillQuarantined });
    },
  });
}

function wholeRecord(record: QuarantinedRecord, asOf: number): z.input<typeof whole> {
  const text = decodeText(record.raw);
  const { replayedAtMicros } = record;
  return {
    as_of: asOf,
    quarantine_id: record.quarantineId,
    feed: record.feed,
    source: record.source,
    position: Number(record.position),
    received_at: formatForPrograms(record.receivedAtMicros, 'timestamp'),
    replayed_at: replayedAtMicros === null ? null : formatForPrograms(replayedAtMicros, 'timestamp'),
    encoding: record.encoding,
    contract_version: record.contractVersion,
    violations: [...record.violations],
    ...(text === undefined ? { raw_base64: Buffer.from(record.raw).toString('base64') } : { raw: text }),
  };
}

/** Without what was not said. */
function given<T extends object>(values: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [Name in keyof T]: Exclude<T[Name], undefined> };
}
