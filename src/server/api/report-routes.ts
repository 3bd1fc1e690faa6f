import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ATTRIBUTION_MODELS } from '../../domain/feeds.ts';
import type { ResultTable } from '../../domain/result-table.ts';
import { renderCsv } from '../../rendering/render-csv.ts';
import { renderJsonRow } from '../../rendering/render-json.ts';
import { type Api, readingFor } from './api.ts';
import { addRoute } from './operation.ts';
import { answeredAsOf, asOf, day, integer, scalar, text } from './schemas.ts';
import { formatOf, sendRows } from './send-rows.ts';

const query = z.strictObject({
  from: day.optional().describe('First reporting day.'),
  to: day.optional().describe('Last reporting day.'),
  by: z.enum(['day', 'hour']).optional().describe('A row for each campaign and period (hours in UTC). Without it: a row a campaign.'),
  model: z.enum(ATTRIBUTION_MODELS).default('last_touch').describe('Attribution model that conversions and what follows from them are credited by.'),
  reach: z.enum(['true', 'false']).optional().describe('`false`: reach and frequency are null, and the answer comes sooner.'),
  campaign: text.optional().describe('One campaign, by its campaign_id.'),
  as_of: asOf,
});

const ratio = z.number().nullable().describe('A ratio of sums; null on a zero denominator.');
const row = z.looseObject({
  report_date: z.iso.date().optional().describe('With by=day.'),
  hour: z.string().optional().describe('With by=hour.'),
  campaign_id: z.string().nullable().describe('Null: events whose campaign is not known.'),
  name: z.string().nullable(),
  pricing: z.string().nullable(),
  impressions: integer,
  valid_impressions: integer,
  clicks: integer,
  valid_clicks: integer,
  ctr: ratio,
  conversions: scalar.describe('Credit, in conversions.'),
  cvr: ratio,
  value_micros: integer.nullable(),
  spend_micros: integer.nullable().describe('Null where no price is known.'),
  cpa: ratio,
  cpc: ratio,
  ecpm: ratio,
  roas: ratio,
  win_rate: ratio,
  reach: integer.nullable(),
  frequency: ratio,
});

export const campaignReport = z.strictObject({ as_of: answeredAsOf, rows: z.array(row) });

export function addReportRoutes(app: FastifyInstance, { figures, freshness }: Api): void {
  addRoute(app, {
    method: 'GET',
    url: '/v1/reports/campaigns',
    role: 'read',
    id: 'reportCampaigns',
    tag: 'figures',
    summary: 'The figures of campaigns with their ratios',
    description: 'As `advertisex report campaigns` prints them. Money is in micros of the currency of the instance.',
    query,
    answers: {
      200: {
        description: 'A row a campaign, or a campaign and period.',
        content: { 'application/json': campaignReport, 'text/csv': null },
        headers: { ETag: 'Stays the same until a batch is committed.' },
      },
      304: { description: 'Nothing was committed since the answer that `If-None-Match` names.' },
    },
    answer: async ({ query: { as_of, from, to, campaign, by, model, reach }, request, reply }) => {
      const asOf = figures.lastBatch;
      const unchanged = freshness.answerUnchanged(request, reply, asOf);
      if (unchanged !== undefined) return unchanged;
      const reading = readingFor(reply, as_of ?? asOf);
      const given = {
        ...(from && { from }),
        ...(to && { to }),
        ...(campaign && { campaign }),
        ...(by && { by }),
        model,
        ...(reach && { reach: reach === 'true' }),
      };
      const table = await figures.campaigns(given, reading);
      const format = formatOf(request);
      return sendRows(reply, format === 'csv' ? renderCsv(table) : reportJson(table, as_of ?? asOf), format, reading);
    },
  });
}

async function* reportJson(table: ResultTable, asOf: number): AsyncGenerator<string> {
  let separator = `{"as_of":${asOf},"rows":[\n`;
  for await (const row of table.rows) {
    yield separator + renderJsonRow(table.columns, row);
    separator = ',\n';
  }
  yield separator === ',\n' ? '\n]}\n' : `${separator}]}\n`;
}
