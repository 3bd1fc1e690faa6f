import type { FastifyInstance } from 'fastify';
import { type DescribedRoute, openApiDocument } from './openapi-document.ts';
import { addRoute } from './operation.ts';

/** Gathers what the routes that are registered after this call say of themselves. Throws where one says nothing. */
export class DescribedRoutes {
  readonly #routes: DescribedRoute[] = [];
  #isOpen = true;

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ method, url, config }) => {
      // HEAD comes with every GET.
      if (!this.#isOpen || method === 'HEAD') return;
      const { role = 'admin', operation } = config ?? {};
      if (operation === undefined) throw new Error(`${String(method)} ${url} does not say what it does: give its config an operation`);
      this.#routes.push({ method: String(method), url, role, operation });
    });
  }

  /** What is registered from now on does nothing worth telling. */
  close(): void {
    this.#isOpen = false;
  }

  addDocument(app: FastifyInstance, version: string, hasTokens: boolean): void {
    addRoute(app, {
      method: 'GET',
      url: '/openapi.json',
      role: 'anyone',
      id: 'describe',
      tag: 'service',
      summary: 'This description (OpenAPI 3.1)',
      answers: { 200: { description: 'The description.', content: { 'application/json': null } } },
      answer: ({ reply }) => reply.send(openApiDocument(this.#routes, version, hasTokens)),
    });
  }
}
