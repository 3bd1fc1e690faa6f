import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { expect, it } from 'vitest';
import { readCluster } from '../../scripts/cluster/cluster.ts';

const { registry, registryDoor, certificates } = await readCluster();
const { url } = registry;
const TYPE = 'application/vnd.schemaregistry.v1+json';

async function ask(method: string, path: string, body?: object): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(`${url}${path}`, { method, headers: { 'Content-Type': TYPE }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

it('the registry keeps schemas by subject and number, and refuses a version that breaks readers', async () => {
  const subject = `${randomUUID()}-value`;
  const schema = (fields: object[]) => ({ schema: JSON.stringify({ type: 'record', name: 'Bid', fields }) });
  const first = schema([{ name: 'id', type: 'string' }]);
  const { status, answer } = await ask('POST', `/subjects/${subject}/versions`, first);
  expect(status).toBe(200);
  expect(JSON.parse((await ask('GET', `/schemas/ids/${answer.id}`)).answer.schema as string)).toEqual(JSON.parse(first.schema));
  expect((await ask('POST', `/subjects/${subject}/versions`, first)).answer.id).toBe(answer.id);

  await ask('PUT', `/config/${subject}`, { compatibility: 'BACKWARD' });
  const grown = schema([
    { name: 'id', type: 'string' },
    { name: 'amount', type: 'double' },
  ]);
  expect((await ask('POST', `/subjects/${subject}/versions`, grown)).status).toBe(409);
  expect((await ask('GET', '/schemas/ids/2000000000')).status).toBe(404);
});

it('the registry is behind TLS and a password too', async () => {
  const authority = readFileSync(certificates.authority);
  const { username, password } = registryDoor;
  expect(await statusOf(authority, `${username}:${password}`)).toBe(200);
  expect(await statusOf(authority, `${username}:wrong`)).toBe(401);
  expect(await statusOf(authority, undefined)).toBe(401);
  await expect(statusOf(readFileSync(certificates.strangeAuthority), `${username}:${password}`)).rejects.toThrow(/certificate/);
});

function statusOf(ca: Buffer, auth: string | undefined): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request(`${registryDoor.url}/subjects`, { ca, ...(auth === undefined ? {} : { auth }) }, (answer) => resolve(answer.resume().statusCode))
    .on('error', reject)
    .end();
  return promise;
}
