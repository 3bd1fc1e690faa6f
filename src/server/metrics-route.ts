import type { FastifyInstance } from 'fastify';
import type { Operation } from './api/operation.ts';

/** What `/metrics` shows, in the format that is asked for. */
export type ExposeMetrics = (format: 'prometheus' | 'openmetrics') => Promise<{ readonly contentType: string; readonly text: string }>;

const OPERATION: Operation = {
  id: 'getMetrics',
  tag: 'service',
  summary: 'Metrics of the process',
  description: 'OpenMetrics where Accept prefers it.',
  answers: { 200: { description: 'The metrics.', content: { 'text/plain': null, 'application/openmetrics-text': null } } },
};

/** `GET /metrics`: in the text format of Prometheus, or as OpenMetrics where that is preferred. */
export function metricsRoute(expose: ExposeMetrics): (app: FastifyInstance) => void {
  return (app) => {
    app.get('/metrics', { config: { role: 'read', operation: OPERATION } }, async (request, reply) => {
      const { contentType, text } = await expose(prefersOpenMetrics(request.headers.accept) ? 'openmetrics' : 'prometheus');
      // As bytes: fastify would add a charset of its own to a text.
      return reply.header('content-type', contentType).header('vary', 'Accept').send(Buffer.from(text));
    });
  };
}

/** By their weights; of equal ones the first that is named. Ranges and anything else get the format that everything reads. */
export function prefersOpenMetrics(accept = ''): boolean {
  const offers = accept.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return {
      type,
      version: parameters.find((parameter) => parameter.startsWith('version='))?.slice(8),
      weight: weight === undefined ? 1 : Number(weight) || 0,
    };
  });
  const weightOf = (accepts: (offer: (typeof offers)[number]) => boolean) => Math.max(0, ...offers.filter(accepts).map(({ weight }) => weight));
  const open = weightOf(({ type, version }) => type === 'application/openmetrics-text' && (version === undefined || version === '1.0.0'));
  return open > 0 && open >= weightOf(({ type }) => type === 'text/plain');
}
