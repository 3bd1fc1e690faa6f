import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Reconciliation } from '../../app/recon.ts';
import { jsonCell } from '../../rendering/render-json.ts';
import { type Api, readingFor, sendAnswer } from './api.ts';
import { addRoute } from './operation.ts';
import { scalar } from './schemas.ts';

const equation = z.strictObject({
  equation: z.int(),
  name: z.string(),
  statement: z.string(),
  holds: z.boolean(),
  broken_rows: z.int(),
  rows: z.array(z.record(z.string(), scalar)).describe('Rows that break it, the first ones.'),
});

const reconciliation = z.strictObject({ holds: z.boolean().describe('Every equation does.'), equations: z.array(equation) });

export function addReconRoute(app: FastifyInstance, { figures }: Api): void {
  addRoute(app, {
    method: 'GET',
    url: '/v1/recon',
    role: 'read',
    id: 'reconcile',
    tag: 'books',
    summary: 'Check the equations that have to hold',
    description: 'Each is checked on the tables as they are at its moment, the lake by its files. 200 also where one is broken: `holds` says it.',
    answers: { 200: { description: 'The equations.', content: { 'application/json': reconciliation } } },
    answer: async ({ reply }) => {
      const results = await figures.reconcile(readingFor(reply, null));
      return sendAnswer(reply, reconciliation, { holds: results.every(({ holds }) => holds), equations: results.map(described) });
    },
  });
}

function described({ columns, rows, brokenRows, ...result }: Reconciliation): z.input<typeof equation> {
  return {
    ...result,
    broken_rows: brokenRows,
    rows: rows.map((row) => Object.fromEntries(columns.map(({ name, kind }, index) => [name, jsonCell(row[index] ?? null, kind)]))),
  };
}
