import { z } from 'zod';
import { ERROR_CODES } from '../../domain/errors.ts';
import type { Role } from '../tokens.ts';
import type { Answer, Content, Operation } from './operation.ts';

export interface DescribedRoute {
  readonly method: string;
  /** As fastify has it: `/v1/events/:feed`. */
  readonly url: string;
  readonly role: Role | 'anyone';
  readonly operation: Operation;
}

type JsonObject = Readonly<Record<string, unknown>>;

const TAGS: Readonly<Record<Operation['tag'], string>> = {
  records: 'Sending records',
  figures: 'Figures, and how they came about',
  quarantine: 'What was refused, and once more',
  books: 'The books: what was taken, and what became of it',
  service: 'The server itself',
};

/** RFC 9457, as every failure is answered. */
const problem = z.looseObject({
  type: z
    .enum(['about:blank', ...Object.keys(ERROR_CODES).map((code) => `urn:advertisex:error:${code}`)])
    .describe('Of a closed list; `about:blank` where there was no request that could be read.'),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional().describe('What is wrong with this request.'),
  next: z.string().optional().describe('The next thing to try.'),
  request_id: z.string().optional().describe('As in the log of the server.'),
});

/** The description of a server (OpenAPI 3.1) by its routes. */
export function openApiDocument(routes: readonly DescribedRoute[], version: string, hasTokens: boolean): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const { method, url, role, operation } of routes) {
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(operation, hasTokens ? role : 'anyone') };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'AdvertiseX',
      version,
      description: 'Records in, campaign figures out. Money is in integer micros, times are UTC; integers beyond 2⁵³ are strings.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Needed where the server has tokens; each has the roles that stand with an operation, or `admin`.',
        },
      },
      schemas: { Problem: jsonSchema(problem, 'output') },
      responses: {
        Problem: {
          description: 'A failure, with what to do next (RFC 9457).',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function operationObject({ id, tag, summary, description, params, query, body, answers }: Operation, role: Role | 'anyone'): JsonObject {
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [...parameters(params, 'path'), ...parameters(query, 'query')],
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentObject(body, 'input') } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerObject(answer)])),
      default: { $ref: '#/components/responses/Problem' },
    },
    security: role === 'anyone' ? [] : [{ token: [role] }],
  };
}

function parameters(schema: z.ZodObject | undefined, place: 'path' | 'query'): JsonObject[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...type } = jsonSchema(field as z.ZodType, 'input');
    return {
      name,
      in: place,
      required: place === 'path' || !(field as z.ZodType).safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: type,
    };
  });
}

function answerObject({ description, content, headers }: Answer): JsonObject {
  return {
    description,
    ...(content === undefined ? {} : { content: contentObject(content, 'output') }),
    ...(headers === undefined
      ? {}
      : { headers: Object.fromEntries(Object.entries(headers).map(([name, about]) => [name, { description: about, schema: { type: 'string' } }])) }),
  };
}

function contentObject(content: Content, io: 'input' | 'output'): JsonObject {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, schema === null ? {} : { schema: jsonSchema(schema, io) }]));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io,
    override: ({ zodSchema, jsonSchema: made }) => {
      const meant = z.globalRegistry.get(zodSchema)?.jsonSchema;
      if (meant === undefined) return;
      for (const name of Object.keys(made)) if (name !== 'description') delete made[name];
      Object.assign(made, meant);
    },
  });
  return described;
}
