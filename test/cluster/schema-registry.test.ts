import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { readCluster, startService, stopService } from '../../scripts/cluster/cluster.ts';
import { checkRegistry } from '../../src/app/check-registry.ts';
import { avroSchemaOfContract } from '../../src/contracts/avro-schema-of-contract.ts';
import type { Contract } from '../../src/contracts/contract.ts';
import { type RegistryOptions, SchemaRegistry } from '../../src/sources/registry/schema-registry.ts';
import { avroType, text } from '../encodings/avro-files.ts';
import { confluentMessage, decodeMessages } from '../encodings/decode-messages.ts';
import { SHIPPED_CONTRACTS } from '../faults/open-instance.ts';

const { registry, registryDoor, certificates } = await readCluster();
const TYPE = 'application/vnd.schemaregistry.v1+json';
const record = (name: string, ...fields: [name: string, type: unknown][]) =>
  JSON.stringify({ type: 'record', name, fields: fields.map(([field, type]) => ({ name: field, type })) });

const opened: SchemaRegistry[] = [];
afterEach(() => {
  for (const client of opened.splice(0)) client.close();
});

function open(options: Partial<RegistryOptions> = {}): SchemaRegistry {
  const client = new SchemaRegistry({ url: registry.url, ...options });
  opened.push(client);
  return client;
}

/** The client registers no references, as nothing in the product does. */
async function registerReferring(subject: string, schema: string, references: readonly object[]): Promise<number> {
  const answer = await fetch(`${registry.url}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'Content-Type': TYPE },
    body: JSON.stringify({ schema, references }),
  });
  return ((await answer.json()) as { id: number }).id;
}

const setRule = (subject: string, compatibility: string) =>
  fetch(`${registry.url}/config/${encodeURIComponent(subject)}`, { method: 'PUT', headers: { 'Content-Type': TYPE }, body: JSON.stringify({ compatibility }) });

it('a schema is read by its id, with the types of other subjects that it names, and messages with it', async () => {
  const client = open();
  const geo = `Geo${randomUUID().replaceAll('-', '')}`;
  await client.register(geo, record(geo, ['country', 'string']));
  const id = await registerReferring(`${geo}-value`, record(`At${geo}`, ['geo', geo], ['user', 'string']), [{ name: geo, subject: geo, version: 1 }]);
  const fields = [{ paths: [['user']] }, { paths: [['geo', 'country']] }];
  const missing = 2 ** 31 - 1;
  const { outcomes } = await decodeMessages({ encoding: 'avro', framing: 'confluent', schemas: client, fields, maxRecordBytes: 1_000 }, [
    confluentMessage(id, Buffer.concat([text('SE'), text('u-1')])),
    confluentMessage(missing, text('u-2')),
  ]);
  expect(outcomes).toEqual([{ user: ['text', 'u-1'], 'geo.country': ['text', 'SE'] }, expect.objectContaining({ code: 'unknown_schema' })]);
});

it('a subject has versions, and what is not there is told apart from a registry that is not there', async () => {
  const subject = `${randomUUID()}/with a slash-value`;
  const client = open({ subjects: [subject] });
  expect(await client.versions(subject)).toBeUndefined();
  expect(await client.latest(subject)).toBeUndefined();
  const first = record('User', ['user', 'string']);
  const id = await client.register(subject, first);
  expect(await client.register(subject, first)).toBe(id);
  await client.register(subject, record('User', ['user', 'string'], ['age', ['null', 'int']]));
  expect(await client.versions(subject)).toEqual([1, 2]);
  expect(await client.latest(subject)).toMatchObject({ subject, version: 2 });
  expect(await client.version(subject, 7)).toBeUndefined();
  expect(await client.candidates()).toHaveLength(2);
  await setRule(subject, 'BACKWARD');
  expect(await client.compatibility(subject, record('User', ['user', 'string']))).toMatchObject({ isCompatible: true });
  expect(await client.compatibility(subject, record('User', ['user', 'long']))).toMatchObject({ isCompatible: false });
  await expect(open({ url: `${registry.url}/nowhere` }).byId(id)).rejects.toMatchObject({ code: 'registry_failed' });
});

it('contracts fit the schemas that they imply, and break on others', async () => {
  const client = open();
  const contract = SHIPPED_CONTRACTS.get('bid-requests') as Contract;
  const check = async (subject: string) => (await checkRegistry(client, [contract], new Map([['bid-requests', subject]])))[0];
  const good = `${randomUUID()}-value`;
  await client.register(good, JSON.stringify(avroSchemaOfContract(contract)));
  await setRule(good, 'FULL');
  expect(await check(good)).toMatchObject({ version: 1, findings: [] });
  const bad = `${randomUUID()}-value`;
  await client.register(bad, record('Bid', ['timestamp', 'long']));
  await setRule(bad, 'BACKWARD');
  expect((await check(bad))?.findings.filter(({ breaks }) => breaks).map(({ field }) => field)).toEqual([
    'auction.user_id',
    'auction.space_id',
    'auction.amount',
    '',
  ]);
});

it('is asked by TLS, with a name and a password', async () => {
  const { url, username, password } = registryDoor;
  const ca = readFileSync(certificates.authority, 'utf8');
  const id = await open({ url, username, password, ca }).register(`${randomUUID()}-value`, record('User', ['user', 'string']));
  expect(await open({ url, username, password, ca }).byId(id)).toMatchObject({ format: 'AVRO' });
  const patience = { questionMillis: 500 };
  await expect(open({ url, username, password: 'wrong', ca, patience }).byId(id)).rejects.toMatchObject({
    message: expect.stringMatching(/does not let us in: it answers 401/),
  });
  const strange = readFileSync(certificates.strangeAuthority, 'utf8');
  await expect(open({ url, username, password, ca: strange, patience }).byId(id)).rejects.toMatchObject({ message: expect.stringMatching(/certificate/) });
});

it('that is stopped fails what it has to be asked for, nothing else, and until it is back', async () => {
  const client = open({ patience: { questionMillis: 500 } });
  const [known, fresh] = [record('Known', ['user', 'string']), record('Fresh', ['user', 'string'])];
  const ids = [await client.register(`${randomUUID()}-value`, known), await client.register(`${randomUUID()}-value`, fresh)] as const;
  const messages = [known, fresh].map((schema, index) => confluentMessage(ids[index] as number, avroType(JSON.parse(schema)).toBuffer({ user: 'u' })));
  const read = (values: readonly Uint8Array[]) =>
    decodeMessages({ encoding: 'avro', framing: 'confluent', schemas: client, fields: [{ paths: [['user']] }], maxRecordBytes: 1_000 }, values);
  const user = { user: ['text', 'u'] };
  await read(messages.slice(0, 1));
  await stopService('registry', 'SIGKILL');
  try {
    expect((await read(messages.slice(0, 1))).outcomes).toEqual([user]);
    await expect(read(messages)).rejects.toMatchObject({ code: 'registry_failed' });
  } finally {
    await startService('registry');
  }
  expect((await read(messages)).outcomes).toEqual([user, user]);
});
