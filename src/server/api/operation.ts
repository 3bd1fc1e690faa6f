import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { Role } from '../tokens.ts';

/** What an address does, as `/openapi.json` says it. Requests are read, and answers written, by the same schemas. */
export interface Operation {
  readonly id: string;
  readonly tag: 'records' | 'figures' | 'quarantine' | 'books' | 'service';
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: Content;
  /** By status; every other one is a problem document. */
  readonly answers: Readonly<Record<number, Answer>>;
}

export interface Answer {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A schema by media type; null: bytes or text that no schema describes. */
export type Content = Readonly<Record<string, z.ZodType | null>>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route has one: the server does not start where one has not. */
    operation?: Operation;
  }
}

type Read<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export interface Asked<Params, Query, Body> {
  readonly params: Read<Params>;
  readonly query: Read<Query>;
  readonly body: Read<Body>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface Route<
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodObject | undefined = undefined,
> extends Omit<Operation, 'params' | 'query' | 'body'> {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly role: Role | 'anyone';
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: (asked: Asked<Params, Query, Body>) => Promise<FastifyReply> | FastifyReply;
}

/** A route of which everything that is asked has been read by its schemas when it answers. What they do not allow is `request_invalid`. */
export function addRoute<
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodObject | undefined = undefined,
>(app: FastifyInstance, { method, url, role, params, query, body, answer, ...about }: Route<Params, Query, Body>): void {
  const operation: Operation = {
    ...about,
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body: { 'application/json': body } }),
  };
  app.route({
    method,
    url,
    config: { role, operation },
    handler: async (request, reply) =>
      answer({
        params: readWith(params, request.params, 'address') as Read<Params>,
        query: readWith(query, request.query, 'parameters') as Read<Query>,
        body: readWith(body, request.body, 'body') as Read<Body>,
        request,
        reply,
      }),
  });
}

const SHOWN_ISSUES = 3;

function readWith(schema: z.ZodType | undefined, given: unknown, place: string): unknown {
  if (schema === undefined) return undefined;
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const issues = read.error.issues.slice(0, SHOWN_ISSUES).map(({ path, message }) => `${path.length === 0 ? '' : `${path.join('.')}: `}${message}`);
  throw new AdvertiseXError('request_invalid', `The ${place} cannot be read: ${issues.join('; ')}`, 'Correct it: /openapi.json says what may be asked.');
}
