import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/run-command-line.ts';
import { RegistryServer, send } from '../registry/registry-server.ts';
import { bufferHost } from './buffer-host.ts';

const ROOT = join(import.meta.dirname, '../..');
const member = (name: string, type: unknown) => ({ name, type });
const record = (name: string, ...fields: unknown[]) => ({ type: 'record', name, fields });
const AUCTION = [member('user_id', 'long'), member('space_id', 'string'), member('amount', 'double')];
const BIDS = record('Bid', member('timestamp', { type: 'long', logicalType: 'timestamp-millis' }), member('auction', record('Auction', ...AUCTION)));

interface Finding {
  readonly field: string;
  readonly breaks: boolean;
  readonly message: string;
}
interface Subject {
  readonly feed: string;
  readonly subject: string;
  readonly version: number | null;
  readonly findings: readonly Finding[];
  readonly schema: unknown;
}

let folder: string;
let server: RegistryServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-registry-'));
  server = await RegistryServer.start();
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await server.stop();
});

async function run(line: string, environment: Record<string, string | undefined> = {}) {
  const host = bufferHost({ workingDirectory: folder, environment: { ADVERTISEX_REGISTRY_URL: server.url, ...environment } });
  const exit = await runCommandLine(line.split(' '), host);
  return { exit, out: host.out(), err: host.err() };
}

async function check(line = 'contract check --registry') {
  const { exit, out } = await run(`${line} --format json`);
  const { subjects, valid } = JSON.parse(out) as { subjects: Subject[]; valid: boolean };
  expect(valid).toBe(true);
  const bids = subjects.find(({ feed }) => feed === 'bid-requests') as Subject;
  return { exit, subjects, bids, breaks: bids.findings.filter(({ breaks }) => breaks).map(({ field, message }) => `${field}: ${message}`) };
}

describe('contract check --registry', () => {
  it('finds nothing wrong where nothing is registered, and shows the schema that may be', async () => {
    const { exit, subjects, bids } = await check();
    expect(exit).toBe(0);
    expect(subjects.map(({ subject, version }) => [subject, version])).toEqual([
      ['ad-impressions-value', null],
      ['clicks-conversions-value', null],
      ['bid-requests-value', null],
    ]);
    server.add('bid-requests-value', bids.schema);
    expect(await check()).toMatchObject({ exit: 0, bids: { version: 1, findings: [] } });
  });

  it('takes what the contract can read, in other types and under a union, and notes what it does not know', async () => {
    server.add('bids', {
      ...BIDS,
      fields: [...BIDS.fields, member('bidder_rank', 'int'), member('targeting', ['null', record('T', member('age', ['null', 'int']))])],
    });
    const { exit, bids } = await check('contract check --registry --subject bid-requests=bids');
    expect({ exit, findings: bids.findings }).toEqual({
      exit: 0,
      findings: [{ field: '', breaks: false, message: 'the contract does not know bidder_rank: ignored, and counted as drift' }],
    });
  });

  it('tells what the registry tells by a rule of its own, in its words', async () => {
    server.add('bid-requests-value', BIDS);
    const asks = server.requests;
    server.faults = [
      () => false,
      () => false,
      () => false,
      (_, response) => send(response, 200, { is_compatible: false, messages: ['{oldSchemaVersion: 1}'] }),
    ];
    const { exit, breaks } = await check();
    expect(asks.filter((request) => request.startsWith('POST'))).toEqual(['POST /compatibility/subjects/bid-requests-value/versions/latest?verbose=true']);
    expect({ exit, breaks }).toEqual({
      exit: 1,
      breaks: [': the registry does not let the latest version become what the contract asks for: {oldSchemaVersion: 1}'],
    });
  });

  it('puts a schema of types of other subjects to the registry as it was registered, and takes it that it cannot tell', async () => {
    server.add('geo', record('Geo', member('country', 'string')));
    const references = [{ name: 'Geo', subject: 'geo', version: 1 }];
    server.add('bid-requests-value', { ...BIDS, fields: [...BIDS.fields, member('geo', 'Geo')] }, { references });
    const passOn = () => false;
    server.faults = [...Array.from({ length: 4 }, () => passOn), (_, response) => send(response, 422, { error_code: 42201, message: 'cannot compare' })];
    const { exit, bids } = await check();
    const [asked] = server.bodies.map((body) => JSON.parse(body) as { schema: string; references: unknown });
    expect(asked?.references).toEqual(references);
    expect(JSON.parse(asked?.schema ?? '')).toMatchObject({ fields: expect.arrayContaining([member('geo', 'Geo')]) });
    expect({ exit, notes: bids.findings.map(({ message }) => message) }).toEqual({
      exit: 0,
      notes: [
        'the contract does not know geo: ignored, and counted as drift',
        'the registry cannot tell whether the latest version may become what the contract asks for: cannot compare',
      ],
    });
  });

  it('exits with 1 and names what breaks: a required field that is missing, types that cannot be taken', async () => {
    const auction = record(
      'Auction',
      member('space_id', { type: 'map', values: 'string' }),
      member('amount', 'boolean'),
      member('user_id', ['null', 'string']),
    );
    server.add('bid-requests-value', record('Bid', member('auction', auction), member('request_id', { type: 'array', items: 'string' })));
    const { exit, bids, breaks } = await check();
    expect(exit).toBe(1);
    expect(breaks).toEqual([
      'timestamp: the contract requires it, and the schema does not have it: every record is refused',
      'auction.space_id: it is list, map or record in the schema, and id in the contract: no value of it is taken',
      'auction.amount: it is boolean in the schema, and money in the contract: no value of it is taken',
      'request_id: it is list, map or record in the schema, and id in the contract: no value of it is taken',
      expect.stringMatching(/^: the registry does not let the latest version become what the contract asks for: .+/),
    ]);
    expect(bids.findings).toContainEqual({
      field: 'auction.user_id',
      breaks: false,
      message: 'it may be null in the schema, and the contract requires it: records without it are refused',
    });
    const asked = JSON.parse((JSON.parse(server.bodies[0] ?? '') as { schema: string }).schema) as { fields: { type: { fields: unknown[] } }[] };
    expect(asked.fields[0]?.type.fields).toContainEqual({ name: 'amount', type: { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 6 } });
    const { exit: again, out } = await run('contract check --registry');
    expect(again).toBe(1);
    expect(out).toMatch(/bid-requests +bid-requests-value +1 +5 +1\b/);
    expect(out).toContain('bid-requests: timestamp: breaks: the contract requires it');
  });

  it.each([
    ['another kind', '{"type":"object"}', { schemaType: 'JSON' }, ': the latest version is JSON, not Avro'],
    ['no record', '"string"', {}, ': messages of the latest version cannot be read: its top type is string, not a record'],
  ])('says that a schema is %s', async (_, schema, more, message) => {
    server.add('bid-requests-value', schema, more);
    expect(await check()).toMatchObject({ exit: 1, breaks: [message] });
  });

  it('checks the contracts themselves first', async () => {
    cpSync(join(ROOT, 'contracts'), join(folder, 'contracts'), { recursive: true });
    writeFileSync(join(folder, 'contracts/users.odcs.yaml'), 'kind: DataContract\n');
    expect((await run('contract check contracts --registry')).exit).toBe(1);
    expect(server.requests).toEqual([]);
  });

  it('exits with 2 where no registry is set, and with 3 where it does not answer', async () => {
    const unset = await run('contract check --registry', { ADVERTISEX_REGISTRY_URL: undefined });
    expect(unset).toMatchObject({ exit: 2, err: expect.stringMatching(/registry\.url/) });
    server.outage = (_, response) => send(response, 401, '');
    const refused = await run('contract check --registry', { ADVERTISEX_REGISTRY_USERNAME: 'ads', ADVERTISEX_REGISTRY_PASSWORD: 'hidden-word' });
    expect(refused).toMatchObject({ exit: 3, out: '', err: expect.stringMatching(/does not let us in.*registry_failed/s) });
    expect(refused.err).not.toContain('hidden-word');
  });

  it('lets itself in with a name and a password of the environment, or of a file', async () => {
    server.credentials = 'ads:a word';
    writeFileSync(join(folder, 'password'), 'a word\n');
    writeFileSync(join(folder, 'empty'), '');
    const environment = { ADVERTISEX_REGISTRY_USERNAME: 'ads' };
    const registry = (more: Record<string, string>) => run('contract check --registry', { ...environment, ...more });
    expect((await registry({ ADVERTISEX_REGISTRY_PASSWORD: 'a word', ADVERTISEX_REGISTRY_PASSWORD_FILE: '/nowhere' })).exit).toBe(0);
    expect((await registry({ ADVERTISEX_REGISTRY_PASSWORD_FILE: join(folder, 'password') })).exit).toBe(0);
    expect(await registry({ ADVERTISEX_REGISTRY_PASSWORD_FILE: join(folder, 'empty') })).toMatchObject({
      exit: 2,
      err: expect.stringContaining('it is empty'),
    });
    expect((await registry({})).exit).toBe(3);
  });

  it('never shows a password that stands where none should', async () => {
    writeFileSync(join(folder, 'advertisex.yaml'), 'registry:\n  url: http://ads:hidden-word@registry.example\n  password: 8162534\n');
    const { exit, err } = await run('contract check --registry', { ADVERTISEX_REGISTRY_URL: 'ftp://ads:hidden/word@registry.example' });
    expect(exit).toBe(2);
    expect(err).toMatch(/registry\.password is not what it can be, expected a text/);
    expect(err).not.toMatch(/hidden|word@|8162534/);
  });

  it('trusts the authorities that are named, which must be some', async () => {
    writeFileSync(join(folder, 'ca.pem'), 'nothing of the kind');
    const { exit, err } = await run('contract check --registry', { ADVERTISEX_REGISTRY_CA: join(folder, 'ca.pem') });
    expect({ exit, err }).toMatchObject({ exit: 2, err: expect.stringMatching(/ca\.pem cannot be used/) });
  });
});
