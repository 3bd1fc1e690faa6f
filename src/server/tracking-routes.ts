import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Collector } from '../collector/collector.ts';
import type { Operation } from './api/operation.ts';
import { parseListedHosts, redirectTarget } from './redirect.ts';
import { trackingRecord } from './tracking-record.ts';

/** Addresses that browsers open from the pages where ads stand. They have no token, so whoever knows them can send records. */
export interface Tracking {
  /** Hosts that clicks may go on to: `www.example.com`, or `*.example.com` for all names below it. */
  readonly redirectHosts: readonly string[];
}

export interface TrackingOptions {
  readonly tracking: Tracking;
  readonly collector: Collector;
  readonly nowMicros: () => number;
}

/** Transparent, of one pixel. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

const fields = 'Its parameters are the fields of the record. It is taken when it is answered.';
const pixel: Operation = {
  id: 'trackImpression',
  tag: 'records',
  summary: 'An image of one pixel, whose being asked for is an impression',
  description: fields,
  query: z.looseObject({ creative_id: z.string(), user_id: z.string(), website: z.string(), campaign_id: z.string().optional() }),
  answers: { 200: { description: 'The image.', content: { 'image/gif': null } } },
};
const click: Operation = {
  id: 'trackClick',
  tag: 'records',
  summary: 'A click, which goes on to the address that it is for',
  description: fields,
  query: z.looseObject({ user_id: z.string(), campaign_id: z.string(), url: z.string().describe('Of one of the hosts that clicks may go on to.') }),
  answers: { 302: { description: 'Where the click goes on to.', headers: { Location: '`url`.' } } },
};

const eventOf = (operation: Operation) => ({ config: { role: 'anyone', operation }, exposeHeadRoute: false }) as const;

/** `GET /v1/pixel/ad-impressions.gif` and `GET /v1/click`: each answers once its record is on disk, and does not say whether it was refused. */
export function registerTracking(app: FastifyInstance, { tracking, collector, nowMicros }: TrackingOptions): void {
  const listedHosts = parseListedHosts(tracking.redirectHosts);

  app.get('/v1/pixel/ad-impressions.gif', eventOf(pixel), async (request, reply) => {
    const body = trackingRecord(parametersOf(request), contextOf(request, nowMicros()));
    await collector.take({ feed: 'ad-impressions', encoding: 'json', delimiter: ',', body });
    return reply.header('content-type', 'image/gif').header('cross-origin-resource-policy', 'cross-origin').send(GIF);
  });

  app.get('/v1/click', eventOf(click), async (request, reply) => {
    const parameters = parametersOf(request);
    const target = redirectTarget(parameters.get('url'), listedHosts);
    // A conversion is worth money: what anyone can open brings none.
    for (const name of ['url', 'event_type', 'conversion_type']) parameters.delete(name);
    const body = trackingRecord(parameters, { event_type: 'click', conversion_type: '', ...contextOf(request, nowMicros()) });
    await collector.take({ feed: 'clicks-conversions', encoding: 'json', delimiter: ',', body });
    return reply.redirect(target, 302);
  });
}

function parametersOf(request: FastifyRequest): URLSearchParams {
  const { url = '' } = request.raw;
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

/** What the request itself tells, where the parameters do not: when it came, and the browser, by which bots are known. */
function contextOf(request: FastifyRequest, nowMicros: number): Record<string, string> {
  const agent = request.headers['user-agent'];
  return { timestamp: String(nowMicros), ...(agent === undefined ? {} : { user_agent: agent }) };
}
