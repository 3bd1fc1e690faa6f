import { join } from 'node:path';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { decodeMessages, schemasOf } from '../../test/encodings/decode-messages.ts';
import { avroSchemaOfContract, fieldsWithoutAvroName } from './avro-schema-of-contract.ts';
import type { Contract } from './contract.ts';
import { pathsOf } from './field-plan.ts';
import { loadContracts } from './load-contract.ts';
import { nextAvroVersion } from './next-avro-version.ts';

const CONTRACTS = join(import.meta.dirname, '../../contracts');
const field = (name: string, more: Partial<Contract['fields'][number]> = {}) => ({
  name,
  pointer: `/${name}`,
  aliases: [],
  column: name,
  type: 'text' as const,
  required: false,
  mustBePresent: false,
  ...more,
});
const contractOf = (...fields: Contract['fields']): Contract => ({ feed: 'users', version: '1.0.0', path: 'users.odcs.yaml', fields });

describe('the schema of a contract', () => {
  it('is one that another library takes, and has every field of the contracts that come with the product', async () => {
    for (const contract of (await loadContracts(CONTRACTS)).values()) {
      const schema = avroSchemaOfContract(contract);
      expect(() => avro.Type.forSchema(schema as avro.Schema, { wrapUnions: true })).not.toThrow();
      const { outcomes } = await decodeMessages(
        { encoding: 'avro', framing: 'confluent', schemas: schemasOf(schema), fields: contract.fields.map(pathsOf), maxRecordBytes: 1000 },
        [Buffer.from([0, 0, 0, 0, 1])],
      );
      expect(outcomes).toMatchObject([{ code: 'malformed', message: expect.stringContaining('schema 1') }]);
      expect(fieldsWithoutAvroName(contract)).toEqual([]);
    }
  });

  it('says of each field whether it may be null, or left out', async () => {
    const bids = (await loadContracts(CONTRACTS)).get('bid-requests') as Contract;
    const { name, namespace, fields } = avroSchemaOfContract(bids) as {
      name: string;
      namespace: string;
      fields: { name: string; type: unknown; default?: unknown }[];
    };
    expect({ name, namespace }).toEqual({ name: 'BidRequests', namespace: 'advertisex' });
    expect(fields.find((each) => each.name === 'timestamp')?.type).toEqual({ type: 'long', logicalType: 'timestamp-micros' });
    expect(fields.find((each) => each.name === 'request_id')).toMatchObject({ type: ['null', 'string'], default: null });
    expect(fields.find((each) => each.name === 'auction')).toMatchObject({ type: { type: 'record', name: 'BidRequestsAuction' } });
    expect(fields.find((each) => each.name === 'targeting')).toMatchObject({ type: ['null', { type: 'record' }], default: null });
    const clicks = avroSchemaOfContract((await loadContracts(CONTRACTS)).get('clicks-conversions') as Contract) as unknown as { fields: { name: string }[] };
    const campaign = clicks.fields.find((each) => each.name === 'campaign_id');
    expect(campaign).toMatchObject({ type: ['null', 'string'] });
    expect(campaign).not.toHaveProperty('default');
  });

  it('has the aliases that Avro can have, and leaves out names that it cannot', () => {
    const contract = contractOf(field('user_id', { aliases: ['uid', 'user.id', 'the-id'] }), field('my-field'), field('a.b', { aliases: ['a.c', 'd'] }));
    expect(avroSchemaOfContract(contract).fields).toEqual([
      { name: 'user_id', aliases: ['uid'], type: ['null', 'string'], default: null },
      {
        name: 'a',
        type: ['null', { type: 'record', name: 'UsersA', fields: [{ name: 'b', aliases: ['c'], type: ['null', 'string'], default: null }] }],
        default: null,
      },
    ]);
    expect(fieldsWithoutAvroName(contract).map(({ name }) => name)).toEqual(['my-field']);
  });
});

describe('the next version of a registered schema', () => {
  it('keeps what is there, adds what the contract has, and changes what it cannot take', () => {
    const contract = contractOf(
      field('user_id', { required: true, aliases: ['uid'] }),
      field('age', { type: 'integer' }),
      field('home.city', { required: true }),
      field('home.zip'),
    );
    const home = { type: 'record', name: 'H', fields: [{ name: 'city', type: 'boolean' }] };
    const registered = {
      type: 'record',
      name: 'Someone',
      fields: [
        { name: 'uid', type: 'long' },
        { name: 'shoe', type: 'int' },
        { name: 'home', type: ['null', home] },
      ],
    };
    expect(nextAvroVersion(registered, avroSchemaOfContract(contract), new Set(['home.city']))).toEqual({
      type: 'record',
      name: 'Someone',
      fields: [
        { name: 'uid', type: 'long' },
        { name: 'shoe', type: 'int' },
        {
          name: 'home',
          type: [
            'null',
            {
              type: 'record',
              name: 'H',
              fields: [
                { name: 'city', type: 'string' },
                { name: 'zip', type: ['null', 'string'], default: null },
              ],
            },
          ],
        },
        { name: 'age', type: ['null', 'long'], default: null },
      ],
    });
    expect(nextAvroVersion('string', avroSchemaOfContract(contract), new Set())).toBeUndefined();
  });
});
