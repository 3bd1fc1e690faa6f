import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Receipt } from '../collector/collector.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { problemOf, sendProblem } from './problems.ts';

/**
 * 200 where at least one record was accepted, or there was none; 422 where every one was refused: a sender whose fields are all named
 * wrong notices by the status alone. Both mean that the records are on disk, the refused ones in quarantine, and need not be sent again.
 */
export function sendReceipt(receipt: Receipt, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { received, refused, moreRefused } = receipt;
  const accepted = received - refused.length - moreRefused;
  const outcome = { received, accepted, refused, more_refused: moreRefused };
  if (accepted > 0 || received === 0) return reply.send({ ...outcome, request_id: request.id });
  const problem = problemOf(
    new AdvertiseXError(
      'records_refused',
      received === 1 ? 'The record was refused' : `All ${received} records were refused`,
      'Correct what the violations name. The records are in quarantine: do not send them again, replay them.',
    ),
  );
  return sendProblem({ ...problem, ...outcome }, request, reply);
}
