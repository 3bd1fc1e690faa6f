import type { FastifyInstance } from 'fastify';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { Figures } from '../figures.ts';
import type { Api } from './api.ts';
import { addBookRoutes } from './book-routes.ts';
import { Cursors } from './cursors.ts';
import { addExplainRoute } from './explain-route.ts';
import { Freshness } from './freshness.ts';
import { addQuarantineRoutes } from './quarantine-routes.ts';
import { addQueryRoute } from './query-route.ts';
import { addReconRoute } from './recon-route.ts';
import { addReportRoutes } from './report-routes.ts';

/** `secret`: random bytes, others at each start. */
export function registerApi(app: FastifyInstance, figures: Figures, secret: Uint8Array): void {
  const api: Api = { figures, freshness: new Freshness(secret), cursors: new Cursors(secret) };
  app.addContentTypeParser('*', (_request, _payload, done) =>
    done(new AdvertiseXError('content_type_unsupported', 'The body is not JSON', 'Send JSON, with `Content-Type: application/json`.')),
  );
  addReportRoutes(app, api);
  addQueryRoute(app, api);
  addQuarantineRoutes(app, api);
  addBookRoutes(app, api);
  addExplainRoute(app, api);
  addReconRoute(app, api);
}
