import * as zlib from 'node:zlib';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { CODECS, type Codec, long, text, writeAvro, writeBlocks } from '../../../test/encodings/avro-files.ts';
import { decodeAll, optionsFor, type SeenRecord } from '../../../test/encodings/decode-all.ts';

const read = (input: Uint8Array, more = {}, cuts: number[] = []) => decodeAll(optionsFor('avro', more), input, cuts);
const recordOf = (...fields: [name: string, type: unknown][]) => ({ type: 'record', name: 'Event', fields: fields.map(([name, type]) => ({ name, type })) });
const USERS = recordOf(['user', 'string']);
const user = (name: string): SeenRecord => ({ user: ['text', name] });

/** One value of field `id`, of any type, as its Avro bytes (and a byte behind it: a record is not empty). */
function readId(type: unknown, bytes: Uint8Array): unknown {
  const seen = read(writeBlocks(JSON.stringify(recordOf(['id', type], ['end', 'boolean'])), [[Buffer.concat([bytes, Buffer.from([0])])]]).bytes);
  return seen.outcomes[0] === 'malformed' ? seen.malformed[0]?.message : (seen.records[0] as SeenRecord).id;
}

describe('values', () => {
  it.each([
    ['null', [], ['null', '']],
    ['boolean', [1], ['boolean', 'true']],
    ['boolean', [0], ['boolean', 'false']],
    ['int', [0x80, 0x01], ['number', '64']],
    ['long', long(-1), ['number', '-1']],
    ['long', long(9007199254740993n), ['number', '9007199254740993']],
    ['long', long(9223372036854775807n), ['number', '9223372036854775807']],
    ['long', long(-9223372036854775808n), ['number', '-9223372036854775808']],
    ['float', Buffer.from([0, 0, 0xc0, 0x3f]), ['number', '1.5']],
    ['double', Buffer.from(new Float64Array([2.847]).buffer), ['number', '2.847']],
    ['double', Buffer.from(new Float64Array([-1e-7]).buffer), ['number', '-1e-7']],
    ['double', Buffer.from(new Float64Array([Number.NaN]).buffer), ['text', 'NaN']],
    ['double', Buffer.from(new Float64Array([Number.POSITIVE_INFINITY]).buffer), ['text', 'Infinity']],
    ['string', text('żółć'), ['text', 'żółć']],
    ['bytes', text('żółć'), ['text', 'żółć']],
    [{ type: 'fixed', name: 'F', size: 2 }, Buffer.from('ab'), ['text', 'ab']],
    [{ type: 'enum', name: 'E', symbols: ['a', 'b'] }, long(1), ['text', 'b']],
    [['null', 'string'], Buffer.concat([long(1), text('a')]), ['text', 'a']],
    [['null', 'string'], long(0), ['null', '']],
    [{ type: 'array', items: 'long' }, Buffer.concat([long(2), long(5), long(6), long(0)]), ['nested', '']],
    [{ type: 'array', items: 'long' }, Buffer.concat([long(-2), long(2), long(5), long(6), long(0)]), ['nested', '']],
    [{ type: 'array', items: 'null' }, Buffer.concat([long(1e15), long(0)]), ['nested', '']],
    [{ type: 'map', values: 'string' }, Buffer.concat([long(1), text('key'), text('value'), long(0)]), ['nested', '']],
    [{ type: 'record', name: 'R', fields: [{ name: 'a', type: 'long' }] }, long(1), ['nested', '']],
    [{ type: { type: { type: 'string' } } }, text('a'), ['text', 'a']],
  ])('reads %j', (type, bytes, seen) => {
    expect(readId(type, Buffer.from(bytes as number[]))).toEqual(seen);
  });

  it.each([
    [{ type: 'long', logicalType: 'timestamp-millis' }, long(1767225600123), ['micros', '1767225600123000']],
    [{ type: 'long', logicalType: 'timestamp-millis' }, long(0), ['micros', '0']],
    [{ type: 'long', logicalType: 'timestamp-millis' }, long(-5), ['micros', '-5000']],
    [{ type: 'long', logicalType: 'timestamp-millis' }, long(9223372036854775807n), ['micros', '9223372036854775807000']],
    [{ type: 'long', logicalType: 'timestamp-micros' }, long(1767225600123456n), ['micros', '1767225600123456']],
    [{ type: 'long', logicalType: 'timestamp-nanos' }, long(1767225600123456999n), ['micros', '1767225600123456']],
    [{ type: 'long', logicalType: 'timestamp-nanos' }, long(-999), ['micros', '0']],
    [{ type: 'long', logicalType: 'local-timestamp-millis' }, long(1), ['micros', '1000']],
    [{ type: 'long', logicalType: 'local-timestamp-micros' }, long(1), ['micros', '1']],
    [{ type: 'long', logicalType: 'local-timestamp-nanos' }, long(1000), ['micros', '1']],
    [['null', { type: 'long', logicalType: 'timestamp-micros' }], Buffer.concat([long(1), long(7)]), ['micros', '7']],
    [{ type: 'int', logicalType: 'date' }, long(20454), ['text', '2026-01-01']],
    [{ type: 'int', logicalType: 'date' }, long(-719528), ['text', '0000-01-01']],
    [{ type: 'int', logicalType: 'date' }, long(-719529), ['number', '-719529']],
    [{ type: 'int', logicalType: 'date' }, long(2147483647), ['number', '2147483647']],
    [{ type: 'long', logicalType: 'time-micros' }, long(5), ['number', '5']],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, text(Uint8Array.from([0x04, 0xd2])), ['number', '12.34']],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, text(Uint8Array.from([0xff])), ['number', '-0.01']],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9 }, text(Uint8Array.from([5])), ['number', '5']],
    [
      { type: 'fixed', name: 'D', size: 9, logicalType: 'decimal', precision: 20, scale: 6 },
      Buffer.from('007fffffffffffffff', 'hex'),
      ['number', '9223372036854.775807'],
    ],
    [
      { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' },
      Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
      ['text', '00112233-4455-6677-8899-aabbccddeeff'],
    ],
    [{ type: 'fixed', name: 'L', size: 12, logicalType: 'duration' }, Buffer.alloc(12), ['nested', '']],
    [{ type: 'string', logicalType: 'timestamp-millis' }, text('a'), ['text', 'a']],
    [{ type: 'long', logicalType: 'unheard-of' }, long(1), ['number', '1']],
  ])('reads the logical type %j', (type, bytes, seen) => {
    expect(readId(type, bytes)).toEqual(seen);
  });

  it('refuses what the type cannot hold', () => {
    expect(readId('boolean', Uint8Array.of(2))).toMatch(/boolean/);
    expect(readId('boolean', Uint8Array.of(7))).toMatch(/neither true nor false/);
    expect(readId({ type: 'enum', name: 'E', symbols: ['a'] }, long(1))).toMatch(/symbol/);
    expect(readId({ type: 'enum', name: 'E', symbols: ['a'] }, long(-1))).toMatch(/symbol/);
    expect(readId(['null', 'long'], long(2))).toMatch(/branch/);
    expect(readId('string', long(-3))).toMatch(/length/);
    expect(readId('string', long(2 ** 40))).toMatch(/length/);
    expect(readId('string', Buffer.concat([long(3), Buffer.from('a')]))).toMatch(/ends inside/);
    expect(readId('long', Buffer.alloc(11, 0xff))).toMatch(/64 bits/);
    expect(readId('long', Buffer.concat([Buffer.alloc(9, 0xff), Buffer.from([3])]))).toMatch(/64 bits/);
    expect(readId({ type: 'array', items: 'long' }, Buffer.concat([long(2 ** 40), long(1)]))).toMatch(/more items/);
    expect(readId({ type: 'map', values: 'null' }, Buffer.concat([long(2 ** 40), long(1)]))).toMatch(/more items/);
  });

  it('calls a record malformed for a text that is not UTF-8 or a decimal that is none, and goes on', () => {
    const bad = [text(Uint8Array.of(0xff)), text(Uint8Array.of(0x61, 0xc3)), text('good')];
    const seen = read(writeBlocks(JSON.stringify(USERS), [bad]).bytes);
    expect(seen).toMatchObject({ outcomes: ['malformed', 'malformed', user('good')], complete: true });
    expect(read(seen.malformed[0]?.rawBytes as Uint8Array)).toMatchObject({ outcomes: ['malformed'], complete: true });
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 };
    const decimals = [text(''), text(new Uint8Array(65)), text(new Uint8Array(64))];
    expect(read(writeBlocks(JSON.stringify(recordOf(['price', decimal])), [decimals]).bytes).outcomes).toEqual([
      'malformed',
      'malformed',
      { price: ['number', '0.00'] },
    ]);
  });
});

describe('schemas', () => {
  it('resolve nested records, under null too, and tell fields that the contract does not know', () => {
    const auction = {
      type: 'record',
      name: 'Auction',
      fields: [
        { name: 'floor', type: 'double' },
        { name: 'user_id', type: 'long' },
        { name: 'amount', type: ['null', 'double'] },
      ],
    };
    const schema = recordOf(['extra', 'string'], ['auction', ['null', auction]], ['id', 'string']);
    const values = [
      { extra: 'x', auction: { Auction: { floor: 1, user_id: 9007199254740993n, amount: { double: 0.5 } } }, id: 'a' },
      { extra: 'x', auction: null, id: 'b' },
    ];
    const seen = read(writeAvro(schema, [values]).bytes);
    expect(seen.records).toEqual([
      { 'auction.user_id': ['number', '9007199254740993'], 'auction.amount': ['number', '0.5'], id: ['text', 'a'] },
      { id: ['text', 'b'] },
    ]);
    expect(seen.unknownFields).toEqual({ extra: 2, 'auction.floor': 2 });
  });

  it('may name a field by an alias of the contract, or carry an alias that is a name of it', () => {
    const fields = [{ paths: [['user'], ['uid']] }];
    const byName = writeBlocks(JSON.stringify(recordOf(['uid', 'string'])), [[text('a')]]).bytes;
    expect(read(byName, { fields }).records).toEqual([user('a')]);
    const renamed = { type: 'record', name: 'Event', fields: [{ name: 'customer', aliases: ['user'], type: 'string' }] };
    expect(read(writeBlocks(JSON.stringify(renamed), [[text('a')]]).bytes).records).toEqual([user('a')]);
    const both = { type: 'record', name: 'Event', fields: [...renamed.fields, { name: 'user', type: 'string' }] };
    expect(read(writeBlocks(JSON.stringify(both), [[text('b'), text('a')].map((bytes) => bytes)]).bytes).complete).toBe(false);
    expect(read(writeBlocks(JSON.stringify(both), [[Buffer.concat([text('b'), text('a')])]]).bytes).records).toEqual([user('a')]);
  });

  it('with a field under two names make every record malformed', () => {
    const fields = [{ paths: [['user'], ['uid']] }];
    const file = writeBlocks(JSON.stringify(recordOf(['uid', 'string'], ['user', 'string'])), [[Buffer.concat([text('a'), text('b')])]]);
    expect(read(file.bytes, { fields })).toMatchObject({ outcomes: ['malformed'], complete: true });
  });

  it('may be unions of records; other branches are malformed records', () => {
    const schema = ['null', USERS, { type: 'record', name: 'Other', fields: [{ name: 'id', type: 'string' }] }, 'string'];
    const records = [Buffer.concat([long(1), text('a')]), long(0), Buffer.concat([long(3), text('x')]), Buffer.concat([long(2), text('b')])];
    expect(read(writeBlocks(JSON.stringify(schema), [records]).bytes)).toMatchObject({
      outcomes: [user('a'), 'malformed', 'malformed', { id: ['text', 'b'] }],
      complete: true,
    });
  });

  it('may be recursive, and be nested in data up to a limit', () => {
    const list = {
      type: 'record',
      name: 'List',
      namespace: 'a.b',
      fields: [
        { name: 'next', type: ['null', 'List'] },
        { name: 'full', type: ['null', 'a.b.List'] },
      ],
    };
    const schema = JSON.stringify(recordOf(['other', list], ['user', 'string']));
    const nested = (depth: number) =>
      Buffer.concat([...Array.from({ length: depth }, () => long(1)), long(0), ...Array.from({ length: depth + 1 }, () => long(0)), text('a')]);
    expect(read(writeBlocks(schema, [[nested(0), nested(1), nested(400)]]).bytes).outcomes).toEqual([user('a'), user('a'), user('a')]);
    expect(read(writeBlocks(schema, [[nested(0), nested(100_000)]]).bytes)).toMatchObject({ outcomes: [user('a'), 'malformed'], complete: false });
  });

  it('may share types without growing', () => {
    let type: unknown = { type: 'record', name: 'R0', fields: [{ name: 'a', type: 'int' }] };
    for (let i = 1; i <= 90; i++)
      type = {
        type: 'record',
        name: `R${i}`,
        fields: [
          { name: 'a', type },
          { name: 'b', type: `R${i - 1}` },
        ],
      };
    const file = writeBlocks(JSON.stringify(recordOf(['user', 'string'], ['other', ['null', type]])), [[Buffer.concat([text('a'), long(0)])]]);
    expect(read(file.bytes).outcomes).toEqual([user('a')]);
  });

  it.each([
    ['no JSON', '{'],
    ['no type', '{}'],
    ['an unknown type', '"Unheard"'],
    ['an unknown type', JSON.stringify(recordOf(['a', 'Unheard']))],
    ['a number', '5'],
    ['a null', JSON.stringify(recordOf(['a', null]))],
    ['no record', '"string"'],
    ['no record', JSON.stringify(['null', 'string'])],
    ['no fields', '{"type":"record","name":"E"}'],
    ['no name', '{"type":"record","fields":[]}'],
    ['a field without a name', '{"type":"record","name":"E","fields":[{"type":"int"}]}'],
    ['a fixed without a size', JSON.stringify(recordOf(['a', { type: 'fixed', name: 'F' }]))],
    ['a fixed of a bad size', JSON.stringify(recordOf(['a', { type: 'fixed', name: 'F', size: -1 }]))],
    ['a fixed of a huge size', JSON.stringify(recordOf(['a', { type: 'fixed', name: 'F', size: 2 ** 40 }]))],
    ['an enum without symbols', JSON.stringify(recordOf(['a', { type: 'enum', name: 'F', symbols: 5 }]))],
    ['a name twice', JSON.stringify(recordOf(['a', { type: 'fixed', name: 'F', size: 1 }], ['b', { type: 'fixed', name: 'F', size: 1 }]))],
    ['a huge decimal', JSON.stringify(recordOf(['a', { type: 'bytes', logicalType: 'decimal', precision: 5, scale: 2 ** 31 }]))],
    ['deep nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['nothing in it', '{"type":"record","name":"E","fields":[{"name":"a","type":"null"}]}'],
    ['a record that never ends', '{"type":"record","name":"E","fields":[{"name":"a","type":"E"}]}'],
  ])('that cannot be used (%s: %s) make the file malformed', (_, schema) => {
    expect(read(writeBlocks(schema, [[text('a')]]).bytes)).toMatchObject({ outcomes: ['malformed'], complete: false });
  });
});

describe('containers', () => {
  const blocks = [[{ user: 'a' }, { user: 'b' }], [{ user: 'c'.repeat(300) }], [{ user: 'd' }]];
  const all = [user('a'), user('b'), user('c'.repeat(300)), user('d')];

  it.each(CODECS)('of codec %s are read however they are cut into chunks', (codec) => {
    const { bytes } = writeAvro(USERS, blocks, codec);
    const seen = read(bytes);
    expect(seen).toMatchObject({ outcomes: all, complete: true });
    for (let at = 0; at <= bytes.length; at++) expect(read(bytes, {}, [at])).toEqual(seen);
    expect(read(bytes, {}, Array.from(bytes.keys()))).toEqual(seen);
  });

  it.each(['null', 'deflate'] as const)('written by another library (%s) are read', async (codec) => {
    const encoder = new avro.streams.BlockEncoder(USERS as avro.Schema, { codec });
    const parts: Buffer[] = [];
    const ended = new Promise((resolve) => encoder.on('data', (part: Buffer) => parts.push(part)).on('end', resolve));
    for (const name of ['a', 'b']) encoder.write({ user: name });
    encoder.end();
    await ended;
    expect(read(Buffer.concat(parts))).toMatchObject({ outcomes: [user('a'), user('b')], complete: true });
  });

  it('may have no block, no codec, other metadata, and metadata in blocks with sizes', () => {
    const schema = text(JSON.stringify(USERS));
    const sync = Buffer.alloc(16, 'S');
    const body = Buffer.concat([long(1), long(2), text('a'), sync]);
    const header = (...parts: Uint8Array[]) => Buffer.concat([Buffer.from('Obj\x01'), ...parts, long(0), sync]);
    expect(read(header(long(1), text('avro.schema'), schema))).toMatchObject({ outcomes: [], complete: true });
    expect(read(Buffer.concat([header(long(1), text('avro.schema'), schema), body])).outcomes).toEqual([user('a')]);
    const sized = header(long(1), text('other'), text(Buffer.alloc(9)), long(-1), long(12 + schema.length), text('avro.schema'), schema);
    expect(read(Buffer.concat([sized, body])).outcomes).toEqual([user('a')]);
  });

  it('may have empty blocks', () => {
    const { bytes } = writeAvro(USERS, [[], [{ user: 'a' }], []]);
    expect(read(bytes)).toMatchObject({ outcomes: [user('a')], complete: true });
  });

  it('give each record as a container of its own', () => {
    const seen = read(writeAvro(USERS, blocks, 'deflate').bytes);
    expect(seen.raws.map((raw) => read(raw).records[0])).toEqual(all);
  });

  it.each(CODECS)('of codec %s that are cut give every record before the cut, and say so once', (codec) => {
    const { bytes, ends } = writeAvro(USERS, blocks, codec);
    const counts = [0, 2, 3, 4];
    for (let at = 0; at < bytes.length; at++) {
      const seen = read(bytes.slice(0, at));
      const blockEnd = ends.findLastIndex((end) => end <= at);
      const certain = counts[blockEnd] ?? 0;
      expect(seen.records, `cut at ${at}`).toEqual(all.slice(0, seen.records.length));
      expect(seen.records.length).toBeGreaterThanOrEqual(certain);
      // A cut between blocks cannot be seen: the format has no end mark.
      const isClean = ends.includes(at);
      expect({ at, malformed: seen.malformed.length, complete: seen.complete }).toEqual({ at, malformed: isClean ? 0 : 1, complete: isClean });
    }
  });

  it.each(['null', 'deflate', 'zstandard', 'snappy'] as const)('of codec %s give the records of a cut block that lie before the cut', (codec) => {
    // Random digits hardly compress: what lies before the cut can be had.
    const values = Array.from({ length: 40 }, (_, i) => ({ user: Buffer.from(`${i * 7919}-${Math.sin(i)}`).toString('base64') }));
    const { bytes, ends } = writeAvro(USERS, [values], codec);
    const cut = read(bytes.slice(0, ends[1] as number));
    expect(cut.records.length).toBe(40);
    const almost = read(bytes.slice(0, (ends[1] as number) - 17));
    expect(almost).toMatchObject({ complete: false });
    expect(almost.records.length).toBeGreaterThanOrEqual(codec === 'zstandard' ? 0 : 30);
  });

  const sound = writeAvro(USERS, blocks);
  const changed = (at: number, ...bytes: number[]) => {
    const copy = sound.bytes.slice();
    copy.set(bytes, at);
    return copy;
  };
  const [header, first] = sound.ends as [number, number];

  it.each([
    ['has a wrong magic number', changed(0, 0x6f), 0],
    ['has a wrong version', changed(3, 2), 0],
    ['has a negative count', changed(header, 1), 0],
    ['counts a record more', changed(header, 6), 2],
    ['counts a record less', changed(header, 2), 1],
    ['has a negative size', changed(header + 1, 1), 0],
    ['has a size too small', changed(header + 1, 6), 1],
    ['has a size too large', changed(header + 1, 10), 2],
    ['has a wrong sync marker', changed(first - 1, 0), 2],
    ['has a wrong sync marker at the end', changed(sound.bytes.length - 1, 0), 4],
    ['has bytes behind its last block', Buffer.concat([sound.bytes, Buffer.from([0])]), 4],
    ['has another file behind it', Buffer.concat([sound.bytes, sound.bytes]), 4],
    ['is of an unknown codec', writeBlocks(JSON.stringify(USERS), [[text('a')]], 'xz').bytes, 0],
    ['names a huge block', Buffer.concat([sound.bytes, long(1), long(2 ** 50)]), 4],
    ['names a huge header', Buffer.concat([Buffer.from('Obj\x01'), long(1), text('avro.schema'), long(2 ** 50)]), 0],
    ['is something else', Buffer.from('{"user":"a"}'), 0],
    ['is empty', Buffer.alloc(0), 0],
  ])('of which one %s are damaged there', (_, bytes, records) => {
    const seen = read(bytes);
    expect(seen.outcomes).toEqual([...all.slice(0, records), 'malformed']);
    expect(seen.complete).toBe(false);
  });

  it.each(['deflate', 'snappy', 'zstandard'] as Codec[])('with a corrupt %s block are damaged there', (codec) => {
    const file = writeAvro(USERS, blocks, codec);
    for (let at = (file.ends[1] as number) + 2; at < (file.ends[2] as number); at++) {
      const bytes = file.bytes.slice();
      bytes[at] = (bytes[at] as number) ^ 0x55;
      const seen = read(bytes);
      expect(seen.records.slice(0, 2)).toEqual(all.slice(0, 2));
      if (seen.complete) expect(seen.records.length).toBe(4);
      else expect(seen.malformed.length).toBe(1);
    }
  });

  it('are bounded against bombs', () => {
    const zeros = Buffer.alloc(80 * 1024 * 1024);
    const deflated = zlib.deflateRawSync(zeros);
    const bomb = (codec: string, data: Uint8Array) => {
      const empty = writeBlocks(JSON.stringify(USERS), [], codec);
      return Buffer.concat([empty.bytes, long(zeros.length), long(data.length), data, Buffer.alloc(16, 'sync-marker-here')]);
    };
    for (const file of [
      bomb('deflate', deflated),
      bomb('zstandard', zlib.zstdCompressSync(zeros)),
      bomb('snappy', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0])),
    ]) {
      const seen = read(file);
      expect(seen.malformed[0]?.message).toMatch(/decompresses to more than/);
      expect(seen.complete).toBe(false);
    }
  });

  it('skip a record that is too large, and go on', () => {
    const seen = read(writeAvro(USERS, blocks).bytes, { maxRecordBytes: 200 });
    expect(seen).toMatchObject({ outcomes: [user('a'), user('b'), 'too_large', user('d')], complete: true });
  });

  it('that end early by damage report it once', () => {
    const { bytes, ends } = writeAvro(USERS, blocks);
    const damaged = (end: number) => decodeAll(optionsFor('avro'), bytes.slice(0, end), [], 'cut at byte 99');
    expect(damaged(bytes.length)).toMatchObject({ outcomes: [...all, 'malformed'], complete: false });
    expect(damaged(ends[1] as number)).toMatchObject({ outcomes: [...all.slice(0, 2), 'malformed'], complete: false });
    const inside = damaged((ends[1] as number) + 20);
    expect(inside).toMatchObject({ outcomes: [...all.slice(0, 2), 'malformed'], complete: false });
    expect(inside.malformed[0]?.message).toBe('cut at byte 99');
    expect(damaged(10)).toMatchObject({ outcomes: ['malformed'], complete: false });
  });
});
