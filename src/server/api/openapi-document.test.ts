import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeFigures, fakeFigures } from '../../../test/server/fake-figures.ts';
import { type Answer, postJson, send, startServer, type TestServer } from '../../../test/server/test-server.ts';

let figures: FakeFigures;
let server: TestServer;
beforeEach(async () => {
  figures = fakeFigures();
  server = await startServer({ figures, tracking: { redirectHosts: ['shop.example'] } });
});
afterEach(() => server.close());

describe('/openapi.json', () => {
  interface Document {
    readonly info: { readonly version: string };
    readonly paths: Readonly<
      Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, { readonly content?: Record<string, { schema?: object }> }>> }>>>
    >;
    readonly components: object;
  }
  const read = async () => (await send(server, '/openapi.json')).json as unknown as Document;

  it('is OpenAPI', async () => {
    const document = await read();
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    expect(document.info.version).toBe('1.2.3');
  });

  it('has every address', async () => {
    const { paths } = await read();
    expect(
      Object.entries(paths)
        .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
        .sort(),
    ).toEqual([
      'get /healthz',
      'get /openapi.json',
      'get /readyz',
      'get /v1/batches',
      'get /v1/click',
      'get /v1/explain/{kind}/{key}',
      'get /v1/files',
      'get /v1/ledger',
      'get /v1/pixel/ad-impressions.gif',
      'get /v1/quarantine',
      'get /v1/quarantine/{id}',
      'get /v1/recon',
      'get /v1/reports/campaigns',
      'get /v1/restatements',
      'post /v1/events/{feed}',
      'post /v1/quarantine/replay',
      'post /v1/query',
    ]);
    await expect(startServer({ routes: [(app) => void app.get('/silent', () => 'x')] })).rejects.toThrow(/\/silent does not say what it does/);
  });

  it('describes what is answered', async () => {
    const document = await read();
    const ajv = addFormats.default(new Ajv2020.default({ strict: false }));
    ajv.addSchema({ $id: 'openapi', components: document.components });
    const schemaOf = (path: string, method: string, status: number, type: string) => {
      const schema = document.paths[path]?.[method]?.responses[status]?.content?.[type]?.schema;
      if (schema === undefined) throw new Error(`${method} ${path} ${status} ${type} is not described`);
      return schema;
    };
    const check = (path: string, answer: Answer, method = 'get') => {
      const isValid = ajv.compile(schemaOf(path, method, answer.status, (answer.headers['content-type'] ?? '').split(';')[0] as string));
      expect(isValid(answer.json), `${path}: ${JSON.stringify(isValid.errors)}`).toBe(true);
    };
    for (const path of ['/healthz', '/readyz', '/v1/batches', '/v1/quarantine', '/v1/recon']) check(path, await send(server, path));
    check('/v1/quarantine/{id}', await send(server, '/v1/quarantine/00ff'));
    check('/v1/explain/{kind}/{key}', await send(server, '/v1/explain/event/00ff'));
    check('/v1/query', await postJson(server, '/v1/query', { sql: 's' }), 'post');
    check('/v1/quarantine/replay', await postJson(server, '/v1/quarantine/replay', {}), 'post');
    check('/v1/events/{feed}', await postJson(server, '/v1/events/users', {}), 'post');
    const problem = ajv.compile({ $ref: 'openapi#/components/schemas/Problem' });
    expect(problem((await send(server, '/v1/batches?limit=x')).json), JSON.stringify(problem.errors)).toBe(true);
  });
});
