import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AdvertiseXError, ERROR_CODES, type ErrorCode } from '../domain/errors.ts';
import { ACCEPTED_CODINGS, ACCEPTED_TYPES } from './content-types.ts';

/**
 * Every error as an answer. A log that is busy is 503 and not 429: 429 says that this sender asked too much (RFC 6585), and it is
 * the server that cannot follow, whoever sent.
 */
const STATUSES = {
  usage: 400,
  config_invalid: 500,
  contract_invalid: 500,
  query_invalid: 400,
  query_timeout: 503,
  query_too_large: 422,
  not_found: 404,
  batch_folded: 410,
  data_locked: 503,
  data_unusable: 500,
  data_version: 500,
  source_unreadable: 500,
  kafka_failed: 503,
  registry_failed: 503,
  source_changed: 500,
  object_store_failed: 503,
  disk_full: 503,
  engine_failed: 500,
  worker_failed: 500,
  lake_failed: 500,
  log_failed: 503,
  log_busy: 503,
  log_entry_too_large: 413,
  request_invalid: 400,
  content_type_unsupported: 415,
  content_encoding_unsupported: 415,
  body_damaged: 400,
  body_too_large: 413,
  records_refused: 422,
  unauthenticated: 401,
  forbidden: 403,
  host_refused: 421,
  method_refused: 405,
  server_busy: 503,
  server_failed: 500,
  interrupted: 503,
} as const satisfies Record<ErrorCode, number>;

/** What is over in a moment, and what somebody has to see to. */
const RETRY_SECONDS: Partial<Record<ErrorCode, number>> = {
  log_busy: 1,
  server_busy: 1,
  interrupted: 5,
  data_locked: 5,
  disk_full: 30,
  log_failed: 30,
  registry_failed: 30,
};

/** Failures of the server that say nothing of its inside, and are no news to whoever runs it. */
const TOLD: ReadonlySet<ErrorCode> = new Set(['log_busy', 'server_busy', 'query_timeout']);

/** RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The next thing to try. */
  readonly next: string;
}

export function problemOf(error: AdvertiseXError): Problem {
  const { code } = error;
  const status = STATUSES[code];
  return { type: `urn:advertisex:error:${code}`, title: ERROR_CODES[code].title, status, ...adviceOf(error, status) };
}

/** What is broken inside (paths, devices) is for the log of the server, not for whoever sent. */
function adviceOf(error: AdvertiseXError, status: number): Pick<Problem, 'detail' | 'next'> {
  if (status < 500 || TOLD.has(error.code)) return { detail: error.message, next: error.remedy };
  return {
    detail: `${ERROR_CODES[error.code].title}. The log of the server says more, under the id of this request.`,
    next:
      status === 503
        ? 'Send it again after a while: what was not acknowledged may be sent again.'
        : 'Report the id of this request to whoever runs the server.',
  };
}

/** What goes wrong with a request comes with the id of it. */
export type Report = (message: string, cause: unknown, requestId?: string) => void;

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, report: Report): FastifyReply {
  const failure = error instanceof AdvertiseXError ? error : ofFastify(error as FastifyError);
  const problem = problemOf(failure);
  // Nobody waits any more: what that ended did not fail.
  const isLeft = reply.raw.destroyed;
  if (problem.status >= 500 && failure.code !== 'query_timeout' && !isLeft) report(`Request ${request.id}: ${failure.message}`, failure, request.id);
  const seconds = RETRY_SECONDS[failure.code];
  if (seconds !== undefined) reply.header('retry-after', seconds);
  // Only where it was the coding: RFC 9110 forbids Accept-Encoding in a 415 for anything else.
  if (failure.code === 'content_encoding_unsupported') reply.header('accept-encoding', ACCEPTED_CODINGS);
  if (failure.code === 'content_type_unsupported')
    reply.header('accept-post', request.routeOptions.config.readsBody === true ? ACCEPTED_TYPES : 'application/json');
  // Of the answer that it would have been.
  for (const name of ['etag', 'cache-control', 'link']) reply.removeHeader(name);
  return sendProblem(problem, request, reply);
}

export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // As a text: fastify puts a charset behind what it makes of objects, which problem documents do not have.
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(JSON.stringify({ ...problem, request_id: request.id })));
}

/** fastify's own refusals, of a body or an address that it could not read. */
function ofFastify(error: FastifyError): AdvertiseXError {
  const status = error.statusCode ?? 500;
  if (status === 413) return new AdvertiseXError('body_too_large', 'The body is too large', ERROR_CODES.body_too_large.next, error);
  if (status === 415)
    return new AdvertiseXError('content_type_unsupported', 'The content type cannot be read', ERROR_CODES.content_type_unsupported.next, error);
  if (status >= 400 && status < 500) return new AdvertiseXError('request_invalid', error.message, ERROR_CODES.request_invalid.next, error);
  return new AdvertiseXError('server_failed', `A request could not be answered: ${error.message}`, ERROR_CODES.server_failed.next, error);
}
