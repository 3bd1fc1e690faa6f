import avro from 'avsc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RegistryServer, send } from '../../../test/registry/registry-server.ts';
import { makeSelfSigned } from '../../../test/server/self-signed.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { SchemaRegistry } from './schema-registry.ts';

const USER = JSON.stringify({ type: 'record', name: 'User', fields: [{ name: 'user', type: 'string' }] });
const QUICK = { requestMillis: 300, questionMillis: 1_000, firstPauseMillis: 5 };

let server: RegistryServer;
let registry: SchemaRegistry;
beforeEach(async () => {
  server = await RegistryServer.start();
  registry = new SchemaRegistry({ url: server.url, patience: QUICK });
});
afterEach(async () => {
  registry.close();
  await server.stop();
});

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error as AdvertiseXError,
  );

describe('a schema by id', () => {
  it('is asked once, however often and however many at a time want it', async () => {
    const id = server.add('users-value', USER);
    const wanted = await Promise.all(Array.from({ length: 50 }, () => registry.byId(id)));
    expect(new Set(wanted)).toEqual(new Set([{ format: 'AVRO', text: USER }]));
    await registry.byId(id);
    expect(server.requests).toEqual([`GET /schemas/ids/${id}`]);
  });

  it('needs no registry once it is known', async () => {
    const id = server.add('users-value', USER);
    await registry.byId(id);
    await server.stop();
    expect(await registry.byId(id)).toEqual({ format: 'AVRO', text: USER });
    server = await RegistryServer.start();
  });

  it('that does not exist is undefined, not a failure, and is not asked for all the time', async () => {
    expect(await registry.byId(99)).toBeUndefined();
    expect(await registry.byId(99)).toBeUndefined();
    expect(server.requests).toEqual(['GET /schemas/ids/99']);
  });

  it('that no registry can have is not asked for', async () => {
    expect(await registry.byId(2 ** 31)).toBeUndefined();
    expect(await registry.byId(4_294_967_295)).toBeUndefined();
    expect(server.requests).toEqual([]);
  });

  it('keeps its type, where it is not Avro', async () => {
    const id = server.add('users-value', '{"type":"object"}', { schemaType: 'JSON' });
    expect(await registry.byId(id)).toEqual({ format: 'JSON', text: '{"type":"object"}' });
  });

  it('is put together from the types of other subjects, each written out where it is named first', async () => {
    server.add('geo', { type: 'record', name: 'Geo', namespace: 'com.geo', fields: [{ name: 'country', type: 'string' }] });
    server.add(
      'address',
      {
        type: 'record',
        name: 'com.place.Address',
        fields: [
          { name: 'geo', type: 'com.geo.Geo' },
          { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['a'] } },
        ],
      },
      { references: [{ name: 'com.geo.Geo', subject: 'geo', version: 1 }] },
    );
    const id = server.add(
      'users-value',
      {
        type: 'record',
        name: 'User',
        namespace: 'com.ads',
        fields: [
          { name: 'home', type: 'com.place.Address' },
          { name: 'work', type: ['null', 'com.place.Address'] },
          { name: 'kind', type: 'com.place.Kind' },
          { name: 'geo', type: { type: 'array', items: 'com.geo.Geo' } },
        ],
      },
      { references: [{ name: 'com.place.Address', subject: 'address', version: 1 }] },
    );
    const linked = JSON.parse((await registry.byId(id))?.text ?? '') as { fields: { type: unknown }[] };
    expect(() => avro.Type.forSchema(linked as unknown as avro.Schema, { wrapUnions: true })).not.toThrow();
    const geo = { type: 'record', name: 'Geo', namespace: 'com.geo', fields: [{ name: 'country', type: 'string' }] };
    const kind = { type: 'enum', name: 'Kind', symbols: ['a'] };
    expect(linked.fields.map(({ type }) => type)).toEqual([
      {
        type: 'record',
        name: 'Address',
        namespace: 'com.place',
        fields: [
          { name: 'geo', type: geo },
          { name: 'kind', type: kind },
        ],
      },
      ['null', 'com.place.Address'],
      'com.place.Kind',
      { type: 'array', items: 'com.geo.Geo' },
    ]);
  });

  it('whose references go in circles is still an answer', async () => {
    server.add('a', '{"type":"record","name":"A","fields":[]}', { references: [{ name: 'B', subject: 'b', version: 1 }] });
    const id = server.add('b', '{"type":"record","name":"B","fields":[]}', { references: [{ name: 'A', subject: 'a', version: 1 }] });
    expect(await registry.byId(id)).toMatchObject({ format: 'AVRO' });
    expect(server.requests.length).toBeLessThan(5);
  });
});

describe('subjects', () => {
  it('have versions, a latest one, and candidates for messages that name no id', async () => {
    const first = server.add('users-value', USER);
    const second = server.add('users-value', USER.replace('"user"', '"uid"'));
    expect(await registry.versions('users-value')).toEqual([1, 2]);
    expect(await registry.latest('users-value')).toMatchObject({ subject: 'users-value', version: 2, id: second, format: 'AVRO' });
    expect(await registry.version('users-value', 1)).toMatchObject({ id: first, text: USER });
    expect(await registry.versions('nobody')).toBeUndefined();
    expect(await registry.latest('nobody')).toBeUndefined();
    const listing = new SchemaRegistry({ url: server.url, patience: QUICK, subjects: ['users-value', 'nobody'] });
    expect((await listing.candidates()).map(({ text }) => text)).toEqual([USER, USER.replace('"user"', '"uid"')]);
    listing.close();
  });

  it('take schemas, and say whether one may follow', async () => {
    const id = await registry.register('a/b value', USER);
    expect(await registry.register('a/b value', USER)).toBe(id);
    expect(await registry.compatibility('a/b value', USER)).toEqual({ isCompatible: true, messages: [] });
    const other = USER.replace('"string"', '"long"');
    expect(await registry.compatibility('a/b value', other)).toMatchObject({ isCompatible: false, messages: [expect.stringContaining('long')] });
    expect(await registry.compatibility('nobody', USER)).toBeUndefined();
  });
});

describe('a registry in trouble', () => {
  it.each([
    ['answers 500', (_: unknown, response: never) => send(response, 500, { error_code: 50001, message: 'Error in the backend datastore' })],
    ['answers 429', (_: unknown, response: never) => send(response, 429, '')],
    ['is behind a proxy that answers 502', (_: unknown, response: never) => send(response, 502, '<html>Bad Gateway</html>')],
    [
      'breaks the connection',
      (request: { destroy(): void }) => {
        request.destroy();
        return true;
      },
    ],
    [
      'breaks off in the middle',
      (_: unknown, response: { writeHead(status: number, headers: unknown): void; write(text: string): void; destroy(): void }) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"sch');
        setTimeout(() => response.destroy(), 5);
        return true;
      },
    ],
    ['does not answer', () => true],
  ])('that %s is asked again', async (_, fault) => {
    const id = server.add('users-value', USER);
    server.faults = [fault as never, fault as never];
    expect(await registry.byId(id)).toEqual({ format: 'AVRO', text: USER });
    expect(server.requests.length).toBe(3);
  });

  it('for long makes the question fail, and the next one is asked anew', async () => {
    const id = server.add('users-value', USER);
    server.outage = (_, response) => send(response, 503, '');
    const error = await failure(registry.byId(id));
    expect(error).toBeInstanceOf(AdvertiseXError);
    expect(error).toMatchObject({ code: 'registry_failed', message: `The schema registry at localhost:${server.port} does not answer: it answers 503` });
    server.outage = undefined;
    expect(await registry.byId(id)).toMatchObject({ text: USER });
  });

  it('that is not there at all fails with what the connection said', async () => {
    await server.stop();
    expect(await failure(registry.byId(1))).toMatchObject({ code: 'registry_failed', message: expect.stringMatching(/does not answer: .*ECONNREFUSED/) });
    server = await RegistryServer.start();
  });

  it('is left alone for as long as it asks for', async () => {
    const id = server.add('users-value', USER);
    server.faults = [(_, response) => send(response, 429, '', { 'retry-after': '1' })];
    const patient = new SchemaRegistry({ url: server.url, patience: { ...QUICK, questionMillis: 5_000 } });
    const begun = performance.now();
    expect(await patient.byId(id)).toMatchObject({ text: USER });
    expect(performance.now() - begun).toBeGreaterThan(950);
    patient.close();
  });

  it('that asks for longer than a question may take is not asked at all until then', async () => {
    const id = server.add('users-value', USER);
    server.faults = [(_, response) => send(response, 503, '', { 'retry-after': new Date(Date.now() + 60_000).toUTCString() })];
    const begun = performance.now();
    expect(await failure(registry.byId(id))).toMatchObject({ code: 'registry_failed', message: expect.stringContaining('it answers 503') });
    expect(await failure(registry.byId(id))).toMatchObject({ code: 'registry_failed', message: expect.stringContaining('left alone') });
    expect(performance.now() - begun).toBeLessThan(500);
    expect(server.requests.length).toBe(1);
  });

  it('that asks to be asked again at once is not asked without a pause', async () => {
    server.outage = (_, response) => send(response, 503, '', { 'retry-after': '0' });
    expect(await failure(registry.byId(1))).toMatchObject({ code: 'registry_failed' });
    expect(server.requests.length).toBeLessThan(12);
  });

  it.each([
    ['404 of something that is no registry', 404, '<html>Not Found</html>', /answers 404, as something that is no registry/],
    ['404 with another code', 404, { error_code: 404, message: 'HTTP 404 Not Found' }, /answers 404/],
    ['a page', 200, '<html>Sign in</html>', /does not answer as one/],
    ['something else in JSON', 200, { id: 7 }, /does not answer as one/],
    ['a redirect', 302, '', /answers 302 and is elsewhere/],
    ['401', 401, '', /does not let us in: it answers 401/],
    ['403', 403, '', /does not let us in: it answers 403/],
    ['422', 422, { error_code: 42201, message: 'Invalid schema' }, /refuses: it answers 422: Invalid schema/],
  ])('gives no answer for a schema with %s, and is not asked again and again', async (_, status, body, message) => {
    server.outage = (_request, response) => send(response, status, body, { location: 'http://127.0.0.1:1/' });
    expect(await failure(registry.byId(1))).toMatchObject({ code: 'registry_failed', message: expect.stringMatching(message) });
    expect(server.requests.length).toBe(1);
  });

  it('does not hold up a close', async () => {
    server.outage = () => true;
    const waiting = failure(registry.byId(1));
    setTimeout(() => registry.close(), 20);
    expect(await waiting).toMatchObject({ code: 'interrupted' });
  });
});

describe('access', () => {
  it('is by name and password, which no message shows', async () => {
    server.credentials = 'ads:s3cret/word';
    const id = server.add('users-value', USER);
    const known = new SchemaRegistry({ url: server.url, username: 'ads', password: 's3cret/word', patience: QUICK });
    expect(await known.byId(id)).toMatchObject({ text: USER });
    known.close();
    const stranger = new SchemaRegistry({ url: server.url, username: 'ads', password: 'wr0ng-word', patience: QUICK });
    const error = await failure(stranger.byId(id));
    expect(error).toMatchObject({ code: 'registry_failed' });
    expect(`${error.message} ${error.remedy} ${error.stack} ${JSON.stringify(error)}`).not.toMatch(/wr0ng|d3Iw/);
    stranger.close();
  });

  it('is by TLS to whom the given authority vouches for, and to nobody else', async () => {
    const { certificate, key } = makeSelfSigned('localhost');
    const secure = await RegistryServer.start({ cert: certificate, key });
    const id = secure.add('users-value', USER);
    const trusting = new SchemaRegistry({ url: secure.url, ca: certificate, patience: QUICK });
    expect(await trusting.byId(id)).toMatchObject({ text: USER });
    trusting.close();
    for (const ca of [undefined, makeSelfSigned('localhost').certificate]) {
      const wary = new SchemaRegistry({ url: secure.url, ca, patience: QUICK });
      expect(await failure(wary.byId(id))).toMatchObject({ code: 'registry_failed', message: expect.stringMatching(/certificate/) });
      wary.close();
    }
    await secure.stop();
  });

  it('is at a path of its own, where the address has one', async () => {
    const below = new SchemaRegistry({ url: `${server.url}/apis/ccompat/v7/`, patience: QUICK });
    await failure(below.byId(1)).catch(() => undefined);
    expect(server.requests[0]).toBe('GET /apis/ccompat/v7/schemas/ids/1');
    below.close();
  });
});
