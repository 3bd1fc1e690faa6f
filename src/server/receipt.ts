import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Receipt } from '../collector/collector.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { problemOf, sendProblem } from './problems.ts';

export const receiptSchema = z.strictObject({
  received: z.int().describe('Records in the request.'),
  accepted: z.int().describe('Those that keep to the contract; a duplicate is told later, in the ledger.'),
  refused: z.array(
    z.strictObject({
      record: z.int().describe('Its place in the request, from 0.'),
      violations: z.array(z.strictObject({ code: z.string(), pointer: z.string().describe('JSON pointer of the field.'), message: z.string() })),
    }),
  ),
  more_refused: z.int().describe('Refused ones that are not listed.'),
  request_id: z.string(),
});

/**
 * 200 where at least one record was accepted, or there was none; 422 where every one was refused: a sender whose fields are all named
 * wrong notices by the status alone. Both mean that the records are on disk, the refused ones in quarantine, and need not be sent again.
 */
export function sendReceipt(receipt: Receipt, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { received, refused, moreRefused } = receipt;
  const accepted = received - refused.length - moreRefused;
  const refusals = refused.map(({ record, violations }) => ({ record, violations: [...violations] }));
  const outcome = { received, accepted, refused: refusals, more_refused: moreRefused, request_id: request.id } satisfies z.input<typeof receiptSchema>;
  if (accepted > 0 || received === 0) return reply.send(outcome);
  const problem = problemOf(
    new AdvertiseXError(
      'records_refused',
      received === 1 ? 'The record was refused' : `All ${received} records were refused`,
      'Correct what the violations name. The records are in quarantine: do not send them again, replay them.',
    ),
  );
  return sendProblem({ ...problem, ...outcome }, request, reply);
}
