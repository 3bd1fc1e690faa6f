import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { Reading } from '../../app/instance-figures.ts';
import { renderJson } from '../../rendering/render-json.ts';
import type { Figures } from '../figures.ts';
import type { Cursors } from './cursors.ts';
import type { Freshness } from './freshness.ts';

export interface Api {
  readonly figures: Figures;
  readonly freshness: Freshness;
  readonly cursors: Cursors;
}

/** What is read for an answer ends with it, however it ends: when it is sent, or when nobody waits for it any more. */
export function readingFor(reply: FastifyReply, asOf: number | null): Reading {
  const stop = new AbortController();
  if (reply.raw.destroyed) stop.abort();
  else reply.raw.once('close', () => stop.abort());
  return { asOf, stop };
}

/** An answer as its schema has it. */
export function sendAnswer<Schema extends z.ZodType>(reply: FastifyReply, schema: Schema, answer: z.input<Schema>): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(renderJson(schema.parse(answer), 0));
}
