import { describe, expect, it } from 'vitest';
import { long, text } from '../../test/encodings/avro-files.ts';
import { decodeAll, FIELDS, optionsFor, type SeenRecord } from '../../test/encodings/decode-all.ts';
import { confluentMessage, decodeMessages, schemasOf } from '../../test/encodings/decode-messages.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { schemaFingerprint } from './avro/fingerprint.ts';
import type { AvroMessageOptions, MessageFraming, SchemaSource } from './messages.ts';
import { openMessageDecoder } from './open-message-decoder.ts';

const fields = FIELDS.map((name) => ({ paths: [name.split('.')] }));
const basics = { fields, maxRecordBytes: 1 << 20 };
const recordOf = (...members: [name: string, type: unknown][]) => ({ type: 'record', name: 'Event', fields: members.map(([name, type]) => ({ name, type })) });
const USERS = recordOf(['user', 'string']);
const user = (name: string): SeenRecord => ({ user: ['text', name] });
const refused = (code: string, message: RegExp, raw: Uint8Array) => ({ code, message: expect.stringMatching(message), raw: new Uint8Array(raw) });
const avro = (schemas: SchemaSource, framing: MessageFraming = 'confluent'): AvroMessageOptions => ({ encoding: 'avro', framing, schemas, ...basics });
const NOBODY: SchemaSource = { byId: () => Promise.reject(new Error('asked')), candidates: () => Promise.reject(new Error('asked')) };

describe('Avro messages in Confluent framing', () => {
  it('are read with the schema that each names, asked for once', async () => {
    const schemas = schemasOf(USERS, recordOf(['other', 'long'], ['user', ['null', 'string']]));
    const values = [
      confluentMessage(1, text('a')),
      confluentMessage(2, Buffer.concat([long(7), long(1), text('b')])),
      confluentMessage(2, Buffer.concat([long(7), long(0)])),
      confluentMessage(1, text('c')),
    ];
    const seen = await decodeMessages(avro(schemas), values, 40);
    expect(seen.outcomes).toEqual([user('a'), user('b'), { user: ['null', ''] }, user('c')]);
    expect(seen.unknownFields).toEqual({ other: 2 });
    expect(schemas.asked).toEqual([1, 2]);
    // What quarantine keeps decodes by itself.
    for (const [index, raw] of seen.raws.entries())
      expect(decodeAll(optionsFor('avro'), raw)).toMatchObject({ outcomes: [seen.outcomes[index]], complete: true });
  });

  it('that are none, are cut, or go on, are each one malformed record, kept whole', async () => {
    const whole = confluentMessage(1, text('abc'));
    const values = [
      Buffer.from('{"user":"a"}'),
      new Uint8Array(0),
      whole.subarray(0, 1),
      whole.subarray(0, 4),
      whole.subarray(0, 5),
      whole.subarray(0, 7),
      Buffer.concat([whole, Buffer.from([0, 1])]),
      confluentMessage(1, text(Uint8Array.of(0xff))),
      whole,
    ];
    const seen = await decodeMessages(avro(schemasOf(USERS)), values);
    const messages = [
      /^The Avro message does not decode: it starts with byte 7B, not with the 0 of Confluent's wire format\.$/,
      /it is empty/,
      /it ends after 1 bytes, inside the id/,
      /it ends after 4 bytes/,
      /as a record of schema 1 it cannot be read: its data ends inside it/,
      /as a record of schema 1 it cannot be read: its data ends inside it/,
      /2 bytes are left behind its record of schema 1/,
      /as a record of schema 1 it is not right: user is not UTF-8/,
    ];
    expect(seen.outcomes).toEqual([...messages.map((message, index) => refused('malformed', message, values[index] as Uint8Array)), user('abc')]);
  });

  it('of a schema that is not known are unknown_schema, until it is', async () => {
    const known: Record<number, string> = { 1: JSON.stringify(USERS) };
    const schemas: SchemaSource = {
      byId: async (id) => (known[id] === undefined ? undefined : { format: 'AVRO', text: known[id] }),
      candidates: async () => [],
    };
    const outcomes: string[] = [];
    const decoder = openMessageDecoder(avro(schemas), {
      record: () => outcomes.push('record'),
      malformed: ({ code, message }) => outcomes.push(`${code} ${message}`),
    });
    const values = [confluentMessage(1, text('a')), confluentMessage(9, text('b')), confluentMessage(1, text('c'))];
    const pushAll = async () => {
      await decoder.prepare(values);
      for (const [index, value] of values.entries()) decoder.push(value, index);
      return outcomes.splice(0);
    };
    expect(await pushAll()).toEqual(['record', 'unknown_schema The Avro message does not decode: schema 9 is not known.', 'record']);
    known[9] = known[1] as string;
    expect(await pushAll()).toEqual(['record', 'record', 'record']);
  });

  it.each([
    ['a schema of another kind', { format: 'JSON', text: '{}' }, /schema 1 cannot be used: it is JSON, not Avro/],
    ['a schema that is no record', '"string"', /schema 1 cannot be used: its top type is string, not a record/],
    ['a schema that is none', '{"type":"record"}', /schema 1 cannot be used/],
    ['a schema with a type that nobody defines', recordOf(['user', 'com.Missing']), /schema 1 cannot be used: type "com.Missing" is not known/],
  ])('of %s are malformed', async (_, schema, message) => {
    const value = confluentMessage(1, text('a'));
    expect((await decodeMessages(avro(schemasOf(schema)), [value])).outcomes).toEqual([refused('malformed', message, value)]);
  });

  it('that are too large are cut, and are not decoded', async () => {
    const value = confluentMessage(1, text('a'.repeat(100)));
    const { outcomes } = await decodeMessages({ ...avro(schemasOf(USERS)), maxRecordBytes: 50 }, [value]);
    expect(outcomes).toEqual([refused('too_large', /larger than 50 bytes/, value.subarray(0, 50))]);
  });

  it('are not lost where schemas cannot be had: prepare fails, and does not the next time', async () => {
    let isDown = true;
    const schemas: SchemaSource = {
      byId: async () => {
        if (isDown) throw new AdvertiseXError('registry_failed', 'down', 'wait');
        return { format: 'AVRO', text: JSON.stringify(USERS) };
      },
      candidates: async () => [],
    };
    const outcomes: unknown[] = [];
    const decoder = openMessageDecoder(avro(schemas), {
      record: ({ recordNumber }) => outcomes.push(recordNumber),
      malformed: (problem) => outcomes.push(problem),
    });
    const values = [confluentMessage(1, text('a')), Buffer.from('no frame')];
    await expect(decoder.prepare(values)).rejects.toMatchObject({ code: 'registry_failed' });
    expect(() => decoder.push(values[0] as Uint8Array, 0)).toThrow(/not prepared/);
    isDown = false;
    await decoder.prepare(values);
    decoder.push(values[0] as Uint8Array, 0);
    // What is known needs no registry.
    isDown = true;
    await decoder.prepare(values);
    decoder.push(values[0] as Uint8Array, 1);
    expect(outcomes).toEqual([0, 1]);
  });

  it('of more schemas than are kept are all read, and their unknown fields counted', async () => {
    const many = Array.from({ length: 600 }, (_, i) => recordOf([`other_${i % 3}`, 'int'], ['user', 'string']));
    const schemas = schemasOf(...many);
    const decoder = openMessageDecoder(avro(schemas), { record: () => undefined, malformed: ({ message }) => expect.unreachable(message) });
    for (let from = 0; from < many.length; from += 100) {
      const values = Array.from({ length: 100 }, (_, i) => confluentMessage(from + i + 1, Buffer.concat([long(1), text('a')])));
      await decoder.prepare(values);
      for (const [index, value] of values.entries()) decoder.push(value, from + index);
    }
    expect(Object.fromEntries(decoder.unknownFields)).toEqual({ other_0: 200, other_1: 200, other_2: 200 });
    await decoder.prepare([confluentMessage(1, text(''))]);
    expect(schemas.asked.length).toBe(601);
  });
});

describe('Avro messages by fingerprint', () => {
  const framed = (schema: unknown, record: Uint8Array) => {
    const frame = Buffer.from([0xc3, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    frame.writeBigUInt64LE(schemaFingerprint(JSON.stringify(schema)), 2);
    return Buffer.concat([frame, record]);
  };

  it('are read with the candidate that has it', async () => {
    const other = recordOf(['user', 'string'], ['won', 'boolean']);
    const values = [framed(USERS, text('a')), framed(other, Buffer.concat([text('b'), Buffer.from([1])])), framed(USERS, text('c'))];
    const { outcomes, raws } = await decodeMessages(avro(schemasOf('"broken', USERS, { format: 'JSON', text: '{}' }, other), 'single-object'), values);
    expect(outcomes).toEqual([user('a'), { ...user('b'), won: ['boolean', 'true'] }, user('c')]);
    expect(decodeAll(optionsFor('avro'), raws[1] as Uint8Array).outcomes).toEqual([outcomes[1]]);
  });

  it('are refused where they are none, are cut, or no candidate has it', async () => {
    const whole = framed(USERS, text('a'));
    const values = [Buffer.from([0xc3]), Buffer.from([0xc3, 2, 0]), whole.subarray(0, 9), framed(recordOf(['user', 'bytes']), text('a'))];
    expect((await decodeMessages(avro(schemasOf(USERS), 'single-object'), values)).outcomes).toEqual([
      refused('malformed', /it has 1 bytes/, values[0] as Uint8Array),
      refused('malformed', /it starts with bytes C3 02, not with the C3 01/, values[1] as Uint8Array),
      refused('malformed', /it ends after 9 bytes, inside the fingerprint/, values[2] as Uint8Array),
      refused('unknown_schema', /a schema of fingerprint [0-9a-f]{16} is not known/, values[3] as Uint8Array),
    ]);
  });
});

describe('Avro messages of one schema', () => {
  it('need nobody to ask', async () => {
    const { outcomes } = await decodeMessages(avro(NOBODY, { schema: JSON.stringify(USERS) }), [
      text('a'),
      new Uint8Array(0),
      Buffer.concat([text('b'), text('c')]),
    ]);
    expect(outcomes).toEqual([
      user('a'),
      refused('malformed', /it is empty/, new Uint8Array(0)),
      refused('malformed', /2 bytes are left/, Buffer.concat([text('b'), text('c')])),
    ]);
  });

  it('are not begun with where the schema cannot be used', () => {
    expect(() => openMessageDecoder(avro(NOBODY, { schema: '"string"' }), { record: () => undefined, malformed: () => undefined })).toThrow(AdvertiseXError);
  });
});

describe('JSON messages', () => {
  const json = { encoding: 'json', ...basics } as const;

  it('are one object each, in any layout', async () => {
    const texts = ['{"user":"a"}', '\ufeff {"user":"b"}\r\n', '{\n  "user": "c",\n  "extra": [1, {"x": null}]\n}\n', ' {"auction":{"user_id":5}} '];
    const { outcomes, raws, unknownFields } = await decodeMessages(
      json,
      texts.map((each) => Buffer.from(each)),
      7,
    );
    expect(outcomes).toEqual([user('a'), user('b'), user('c'), { 'auction.user_id': ['number', '5'] }]);
    expect(raws.map((raw) => Buffer.from(raw).toString())).toEqual([
      '{"user":"a"}',
      '{"user":"b"}',
      '{\n  "user": "c",\n  "extra": [1, {"x": null}]\n}',
      '{"auction":{"user_id":5}}',
    ]);
    expect(unknownFields).toEqual({ extra: 1 });
  });

  it.each([
    ['', /it is empty/],
    [' \n', /it is empty/],
    ['[{"user":"a"}]', /a JSON object was expected/],
    ['"a"', /a JSON object was expected/],
    ['{"user":"a"', /it ends inside the object/],
    ['{"user":"a"}{"user":"b"}', /something follows the object at byte 12/],
    ['{"user":"a"}\n{"user":"b"}', /something follows the object at byte 12/],
    ['{"user":}', /at byte 8/],
    ['{"user":"a","user":"b"}', /user is there twice/],
    ['{"user":"\xff"}', /it is not UTF-8/],
  ])('%j is one malformed record, kept whole', async (message, problem) => {
    const value = Buffer.from(message, 'latin1');
    expect((await decodeMessages(json, [value, Buffer.from('{"user":"a"}')])).outcomes).toEqual([refused('malformed', problem, value), user('a')]);
  });
});

describe('CSV messages', () => {
  const csv = { encoding: 'csv', ...basics } as const;

  it('are one row each, of the columns of the contract or others that are told', async () => {
    const { outcomes, raws } = await decodeMessages(csv, [Buffer.from('1,a,7,0.5,"2,5",true'), Buffer.from('2,"b ""c""",,,,\r\n')], 3);
    expect(outcomes[0]).toEqual({
      id: ['text', '1'],
      user: ['text', 'a'],
      'auction.user_id': ['text', '7'],
      'auction.amount': ['text', '0.5'],
      price: ['text', '2,5'],
      won: ['text', 'true'],
    });
    expect(outcomes[1]).toMatchObject({ id: ['text', '2'], user: ['text', 'b "c"'], won: ['text', ''] });
    for (const [index, raw] of raws.entries()) expect(decodeAll(optionsFor('csv'), raw).outcomes).toEqual([outcomes[index]]);
    const told = await decodeMessages({ ...csv, columns: ['user', 'my;column', 'id'], delimiter: ';' }, [Buffer.from('a;x;1')]);
    expect(told).toMatchObject({ outcomes: [{ user: ['text', 'a'], id: ['text', '1'] }], unknownFields: { 'my;column': 1 } });
    expect(decodeAll(optionsFor('csv', { delimiter: ';' }), told.raws[0] as Uint8Array).outcomes).toEqual(told.outcomes);
  });

  it.each([
    ['', /it is empty/],
    ['a', /it has 1 cells, and 2 are expected \(user, id\)/],
    ['a,1,2', /it has 3 cells/],
    ['a,1\nb,2', /it holds more than one row/],
    ['a,"1', /a quoted cell is not closed/],
    ['a,1"', /must be quoted/],
    ['\xff,1', /it is not UTF-8/],
  ])('%j is one malformed record, kept with its columns', async (message, problem) => {
    const value = Buffer.from(message, 'latin1');
    const { outcomes } = await decodeMessages({ ...csv, columns: ['user', 'id'] }, [value, Buffer.from('a,1')]);
    expect(outcomes).toEqual([refused('malformed', problem, Buffer.concat([Buffer.from('user,id\n'), value])), { user: ['text', 'a'], id: ['text', '1'] }]);
  });

  it('are not begun with where columns cannot be', () => {
    const open = (columns: string[]) => () => openMessageDecoder({ ...csv, columns }, { record: () => undefined, malformed: () => undefined });
    expect(open(['user', 'user'])).toThrow(/more than one column for user/);
  });
});
