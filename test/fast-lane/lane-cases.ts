import { deepStrictEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compileContract } from '../../src/contracts/compile-contract.ts';
import { Reader } from '../../src/contracts/field-plan.ts';
import { loadContracts } from '../../src/contracts/load-contract.ts';
import type { Encoding, Feed } from '../../src/domain/feeds.ts';
import { createDecoder } from '../../src/encodings/create-decoder.ts';
import type { Decoder, FieldPath, RecordSink } from '../../src/encodings/decoder.ts';
import type { MessageDecoder, SchemaSource } from '../../src/encodings/messages.ts';
import { openMessageDecoder } from '../../src/encodings/open-message-decoder.ts';
import { openFastLane } from '../../src/ingest/fast-lane/fast-lane.ts';
import { RecordReceiver } from '../../src/ingest/record-receiver.ts';
import type { StagedChunk } from '../../src/staging/staged-chunk.ts';
import { contractOf } from '../../src/staging/staged-tables.ts';
import { avroType, writeAvro } from '../encodings/avro-files.ts';
import { confluentMessage, schemasOf } from '../encodings/decode-messages.ts';
import { Dice, mutate } from '../encodings/mutate.ts';

const CONTRACTS = await loadContracts(join(import.meta.dirname, '../../contracts'));
/** Of 2026-03-14, on which most of these events lie. */
const RATES = [
  { currency: 'USD', day: 20_526, rateE9: 500_000_000 },
  { currency: 'JPY', day: 20_526, rateE9: 5_432_109 },
  { currency: 'KWD', day: 20_526, rateE9: 2_900_000_000_000_000 },
];
const RECEIVED = Date.UTC(2026, 2, 15) * 1_000;

export interface Source {
  readonly feed: Feed;
  readonly encoding: Encoding;
  readonly bytes: Uint8Array;
  /** In place of the bytes: records that come one in a message. */
  readonly messages?: readonly Uint8Array[];
  readonly schemas?: SchemaSource;
  /** Where it is cut into chunks. */
  readonly cuts?: readonly number[];
  readonly nullSpellings?: readonly string[];
  readonly timeZone?: string;
  readonly reportingTimeZone?: string;
  readonly maxRecordBytes?: number;
  readonly chunkRecords?: number;
  /** Bytes that are seen before the lane starts. */
  readonly worthBytes?: number;
}

export interface Staged {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly quarantine: readonly unknown[];
  /** Of each chunk. */
  readonly books: readonly { readonly segments: readonly { readonly table: string; readonly rows: number }[] }[];
  readonly unknownFields: ReadonlyMap<string, number>;
  readonly complete: boolean;
  /** Records that the lane took. */
  readonly plain: number;
  /** What the lane holds at the end, and held at most before a chunk was written. */
  readonly memory: { readonly last: number; readonly most: number };
}

/** What becomes of a source, with a lane or without. */
export async function stage(source: Source, withLane: boolean): Promise<Staged> {
  const { feed, encoding, maxRecordBytes = 10_000, reportingTimeZone = 'UTC', worthBytes = 0 } = source;
  const directory = mkdtempSync(join(tmpdir(), 'advertisex-fast-lane-'));
  const rules = { nullSpellings: source.nullSpellings ?? ['', 'null', 'NULL', '-'], timeZone: source.timeZone ?? 'UTC' };
  const check = compileContract(contractOf(feed, CONTRACTS), rules);
  const shared = { contracts: CONTRACTS, currency: 'EUR', rates: RATES, reportingTimeZone };
  const fastLane = withLane ? openFastLane({ ...shared, contract: check.contract, rules, maxRecordBytes, worthBytes }) : undefined;
  const receiver = new RecordReceiver({ ...shared, feed, check, fastLane });
  const chunks: StagedChunk[] = [];
  receiver.start({
    origin: { feed, source: 'day.json', encoding, delimiter: ',', contractVersion: '1', receivedAtMicros: RECEIVED },
    directory,
    name: 'a',
    firstStageRow: 1_000,
    firstPosition: 0,
    chunkRecords: source.chunkRecords ?? 100_000,
    onChunk: (chunk) => chunks.push(chunk),
  });
  let decoded = 0;
  const sink: RecordSink = {
    lane: receiver.lane,
    record: (slots) => {
      decoded++;
      receiver.record(slots);
    },
    malformed: (problem) => {
      decoded++;
      receiver.malformed(problem);
    },
  };
  let most = 0;
  const measure = (): void => {
    most = Math.max(most, fastLane?.memoryBytes ?? 0);
  };
  const options = { fields: check.paths, maxRecordBytes };
  const decoder = source.messages === undefined ? pushBytes(source, options, receiver, sink, measure) : await pushMessages(source, options, receiver, sink);
  receiver.flush();
  const tables: Record<'rows' | 'quarantine', Record<string, unknown>[]> = { rows: [], quarantine: [] };
  for (const { table, path } of chunks.flatMap(({ segments }) => segments)) {
    tables[table === 'quarantine' ? 'quarantine' : 'rows'].push(...(await parquetReadObjects({ file: await asyncBufferFromFile(path) })));
  }
  rmSync(directory, { recursive: true });
  const inOrder = (rows: Record<string, unknown>[]) => rows.sort((a, b) => Number(a.position) - Number(b.position));
  return {
    rows: inOrder(tables.rows),
    quarantine: inOrder(tables.quarantine),
    books: chunks.map(({ firstPosition, nextPosition, received, quarantined, segments }) => ({
      ...{ firstPosition, nextPosition, received, quarantined },
      segments: segments.map(({ table, rows }) => ({ table, rows })).sort((a, b) => a.table.localeCompare(b.table)),
    })),
    unknownFields: decoder.unknownFields,
    complete: !('complete' in decoder) || decoder.complete,
    plain: chunks.reduce((sum, { received }) => sum + received, -decoded),
    memory: { last: fastLane?.memoryBytes ?? 0, most },
  };
}

type PushOptions = { readonly fields: readonly FieldPath[]; readonly maxRecordBytes: number };

function pushBytes({ encoding, bytes, cuts = [] }: Source, options: PushOptions, receiver: RecordReceiver, sink: RecordSink, measure: () => void): Decoder {
  const decoder = createDecoder({ encoding, ...options, delimiter: ',' }, sink);
  receiver.decoder = decoder;
  const places = [...new Set([0, ...cuts, bytes.length])].sort((a, b) => a - b);
  for (const [index, from] of places.entries()) {
    decoder.push(bytes.slice(from, places[index + 1]));
    measure();
  }
  decoder.end();
  return decoder;
}

async function pushMessages(
  { encoding, messages = [], schemas = schemasOf() }: Source,
  options: PushOptions,
  receiver: RecordReceiver,
  sink: RecordSink,
): Promise<MessageDecoder> {
  const decoder = openMessageDecoder({ encoding, ...options, framing: 'confluent', schemas }, sink);
  receiver.decoder = decoder;
  await decoder.prepare(messages);
  for (const [index, message] of messages.entries()) decoder.push(message, index);
  return decoder;
}

/** Gives the share of rows that came by the lane. With it as without it, a chunk has one segment a table. */
export async function expectSame(source: Source): Promise<number> {
  const [fast, slow] = [await stage(source, true), await stage(source, false)];
  deepStrictEqual({ ...fast, plain: 0, memory: slow.memory }, slow);
  return slow.rows.length === 0 ? 0 : fast.plain / slow.rows.length;
}

const TIMES = [
  ...['2026-03-14T09:26:53Z', '2026-03-14T09:26:53.5Z', '2026-03-14 09:26:53.1234567Z', '2026-03-14T09:26:53+01:00', '2026-03-14T23:59:59-12:30'],
  ...['2026-03-14T09:26:53', '2026-03-14t09:26:53z', '2026-03-14T09:26:53.Z', '2026-03-14T24:00:00Z', '2026-03-14T09:26:60Z', '2026-02-29T09:26:53Z'],
  ...['2024-02-29T00:00:00Z', '2000-02-29T00:00:00Z', '1999-12-31T23:59:59Z', '2000-01-01T00:00:00Z', '2026-03-15T00:10:00Z', '2026-03-15T00:10:00.000001Z'],
  ...['2026-13-01T00:00:00Z', '2026-04-31T00:00:00Z', '2026-00-10T00:00:00Z', '1773480413', '1773480413589', '1773480413589793', '17734804135897931', '0'],
  ...[
    '99999999999',
    '100000000000',
    '99999999999999',
    '1773480413.5',
    '-1',
    '2026-03-14T09:26:53+24:00',
    '2026-03-14T09:26:53.12+01:0',
    '2026-3-14T09:26:53Z',
    '01773480413',
  ],
];
const HOSTS = [
  ...['http:\\/\\/s.example\\/x', 's.example\\u002f'],
  ...[
    'news.example',
    'www.news.example.',
    'WWW.News.Example',
    'http://a.example:8080/',
    'https://www.b.example/p?q=1@2',
    'https://u:p@c.example/x',
    'ftp://d.example',
  ],
  ...[
    'http://',
    'www.',
    'www',
    '.',
    'e.example:',
    'e.example:80:90',
    'e example',
    'é.example',
    'xn--9ca.example',
    '//f.example',
    'https:g.example',
    'h.example/',
    'i.example?x',
    'j.example#',
  ],
  ...[
    'k_1-2.example',
    '[::1]:80',
    'HTTP://L.EXAMPLE',
    'http://http://m.example',
    `${'n'.repeat(252)}.`,
    'o'.repeat(253),
    'o'.repeat(254),
    'p.example@q.example',
    'httpx',
    'https',
    'http:/r',
  ],
];
const TEXTS = [
  ...[
    'a',
    'cr-1',
    'a b',
    ' a',
    'a ',
    '-',
    'null',
    'NULL',
    '',
    'nul',
    'żółć',
    '日本',
    '😀',
    'x'.repeat(255),
    'x'.repeat(256),
    'x'.repeat(257),
    'é'.repeat(200),
    'y'.repeat(5_000),
  ],
  ...[
    'tab\\tin',
    'quote\\"',
    '\\u0041',
    'del\u007f',
    'c1\u0085',
    '9007199254740993001',
    '-5',
    'true',
    '1.5',
    'Mozilla/5.0 (compatible; Googlebot/2.1)',
    'Mozilla/5.0 (X11)',
  ],
];
const NUMBERS = [
  '0',
  '1',
  '2.5',
  '-0',
  '-1',
  '0.0000001',
  '0.000001',
  '8790000',
  '8790000.000001',
  '1e3',
  '1.50',
  '007',
  '123456789012345',
  '1234567890123456',
  '12345678901234567890',
  '.5',
  '5.',
  '-',
];
const LITERALS = ['true', 'false', 'null', 'tru', '{}', '[]', '{"a":1}', 'NaN'];
const ENUMS = [
  'desktop',
  'mobile',
  'tablet',
  'ctv',
  'other',
  'Desktop',
  'phone',
  'US',
  'us',
  'USA',
  'DE',
  'EUR',
  'eur',
  'USD',
  'usd',
  'JPY',
  'KWD',
  'GBP',
  '1',
  '0',
];

const PLAIN_VALUES: Readonly<Record<string, readonly string[]>> = {
  timestamp: ['"2026-03-14T09:26:53.5Z"', '1773480413589', '"2026-03-14 09:26:53+01:00"'],
  host: ['"news.example"', '"https://www.Sport.example:8443/a?b"'],
  money: ['1.25', '"0.5"', '0', '3', '0.000001', '1234.567891', '8790000'],
  boolean: ['true', 'false', '1', 'null'],
  enum: ['"desktop"', 'null'],
  country: ['"DE"', 'null'],
  currency: ['"EUR"', '"USD"', '"JPY"', '"KWD"', 'null'],
};

/** In an odd record, anything that may stand anywhere. */
function jsonValue(type: string, isOdd: boolean, dice: Dice): string {
  if (!isOdd) return dice.oneOf(PLAIN_VALUES[type] ?? ['"c1"', '"user-17"', '"München"', '12']);
  const reader = READERS[type] ?? Reader.text;
  const strings = dice.oneOf([TEXTS, HOSTS, TIMES, ENUMS, NUMBERS]);
  if (dice.below(12) === 0) return dice.oneOf([`"${dice.oneOf(strings)}"`, dice.oneOf(NUMBERS), dice.oneOf(LITERALS)]);
  switch (reader) {
    case Reader.timestamp:
      return dice.below(5) === 0
        ? dice.oneOf(['1773480413', '1773480413589', '1773480413589793'])
        : `"${dice.oneOf(dice.below(3) === 0 ? TIMES : TIMES.slice(0, 5))}"`;
    case Reader.host:
      return `"${dice.oneOf(dice.below(3) === 0 ? HOSTS : HOSTS.slice(0, 5))}"`;
    case Reader.money:
      return dice.oneOf(['1.25', '"0.5"', '0', '0.000003', dice.oneOf(NUMBERS)]);
    case Reader.boolean:
      return dice.oneOf(['true', 'false', '1', '0', '"true"', 'null']);
    case Reader.enum:
    case Reader.letters:
      return dice.oneOf(['null', `"${dice.oneOf(ENUMS)}"`]);
    default:
      return dice.below(4) === 0 ? `"${dice.oneOf(TEXTS)}"` : dice.oneOf(['"c1"', '"user-17"', '"a text"', '12', 'null']);
  }
}

const UNKNOWN = [
  ...[
    '"ext":{"a":[1,"x"], "b":{}}',
    '"ext":1',
    '"other":"é"',
    '"a\\u0062":2',
    '"ext":"a\\/b\\u00e9"',
    '"other":[[],[[true,false,null]],-1.5]',
    '"ext":[1,]',
    '"ext":{"a"}',
  ],
  ...[
    '"other":"\\u00g0"',
    '"other":"\\x"',
    '"ext":1e5',
    '"é":1',
    '"":1',
    `"ext":${'['.repeat(70)}${']'.repeat(70)}`,
    `"${'n'.repeat(300)}":1`,
    '"ext":tru',
    '"other":01',
  ],
];

const READERS: Readonly<Record<string, Reader>> = {
  timestamp: Reader.timestamp,
  host: Reader.host,
  money: Reader.money,
  boolean: Reader.boolean,
  enum: Reader.enum,
  country: Reader.letters,
  currency: Reader.letters,
};

function jsonRecord(feed: Feed, dice: Dice): string {
  const isOdd = dice.below(3) === 0;
  const space = () => (dice.below(isOdd ? 20 : 400) === 0 ? dice.oneOf([' ', '  ', '\t']) : '');
  const groups = new Map<string, string[]>();
  for (const field of contractOf(feed, CONTRACTS).fields) {
    if (!field.required && dice.below(3) === 0) continue;
    if (field.column === 'currency' && dice.below(2) > 0) continue;
    const [first = '', second] = field.name.split('.');
    const member = (name: string) => `"${name}"${space()}:${space()}${jsonValue(field.type, isOdd, dice)}`;
    const members = groups.get(second === undefined ? '' : first) ?? [];
    members.push(member(second ?? first));
    if (isOdd && dice.below(40) === 0) members.push(member(second ?? first));
    groups.set(second === undefined ? '' : first, members);
  }
  const joined = (members: readonly string[]) => `{${space()}${members.join(`${space()},${space()}`)}${space()}}`;
  const top = [...(groups.get('') ?? []), ...[...groups].filter(([name]) => name !== '').map(([name, members]) => `"${name}":${joined(members)}`)];
  if (dice.below(4) === 0) top.push(dice.oneOf(UNKNOWN));
  if (isOdd && dice.below(5) === 0) top.push(dice.oneOf(UNKNOWN));
  if (dice.below(8) === 0) top.sort(() => dice.below(3) - 1);
  return joined(top);
}

type AvroField = { readonly type: unknown; readonly value: (dice: Dice) => unknown };

/** Ways in which writers' schemas say a field. */
function avroField(kind: 'time' | 'money' | 'text' | 'truth', isOdd: boolean, dice: Dice): AvroField {
  const text = (values: readonly string[]): AvroField => ({ type: 'string', value: (dice) => dice.oneOf(values).replaceAll('\\', '') });
  const long = (values: readonly bigint[], logicalType?: string): AvroField => ({
    type: logicalType === undefined ? 'long' : { type: 'long', logicalType },
    value: (dice) => dice.oneOf(values),
  });
  const micros = 1_773_480_413_589_793n;
  const ways: Readonly<Record<typeof kind, readonly AvroField[]>> = {
    time: [
      long(isOdd ? [micros, micros + 1n, 0n, -5n, 2n ** 62n] : [micros, micros + 1n], 'timestamp-micros'),
      long([micros / 1_000n, 0n], 'timestamp-millis'),
      long([micros * 1_000n], 'timestamp-nanos'),
      long([micros, 1_773_480_413n, 5n]),
      text(TIMES),
    ],
    money: [
      {
        type: 'double',
        value: (dice) =>
          dice.oneOf(isOdd ? [0, -0, 1.25, 0.1 + 0.2, 2.000001, 1e-7, 8_790_000, 8_790_001, -1, Number.NaN, 1e300, 0.123456] : [0, 0.5, 1.25, 2.000001]),
      },
      { type: 'float', value: (dice) => dice.oneOf([0.5, 1.25]) },
      long([0n, 1n, 12n, 8_790_000n, 8_790_001n, -1n, 2n ** 60n]),
      { type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, value: () => Buffer.from([1, 2]) },
      text(NUMBERS),
    ],
    text: [
      text(TEXTS),
      text(['c1', 'user-1', 'München']),
      { type: { type: 'enum', name: `e${dice.below(1e9)}`, symbols: ['male', 'null', 'USD'] }, value: (dice) => dice.oneOf(['male', 'null', 'USD']) },
      long([12n, -12n, 2n ** 62n]),
      { type: 'bytes', value: () => Buffer.from('by') },
    ],
    truth: [{ type: 'boolean', value: (dice) => dice.below(2) === 0 }, text(['true', 'false', '1', 'yes']), long([0n, 1n, 2n])],
  };
  const field = isOdd && dice.below(3) === 0 ? dice.oneOf(ways[kind]) : (ways[kind][kind === 'text' ? 1 : 0] as AvroField);
  if (dice.below(2) === 0) return field;
  const branch = typeof field.type === 'string' ? field.type : ((field.type as { name?: string; type: string }).name ?? (field.type as { type: string }).type);
  return { type: ['null', field.type], value: (dice) => (dice.below(6) === 0 ? null : { [branch]: field.value(dice) }) };
}

function bidRequests(dice: Dice): { schema: unknown; make: () => unknown } {
  const isOdd = dice.below(2) === 0;
  const groups: Record<string, Record<string, AvroField>> = {
    auction: {
      user_id: avroField('text', isOdd, dice),
      space_id: avroField('text', isOdd, dice),
      amount: avroField('money', isOdd, dice),
      won: avroField('truth', isOdd, dice),
      clearing_price: avroField('money', isOdd, dice),
      ...(dice.below(6) === 0 ? { currency: avroField('text', isOdd, dice) } : {}),
    },
    targeting: { age: avroField('text', isOdd, dice), location: avroField('text', isOdd, dice) },
  };
  const top: Record<string, AvroField> = { timestamp: avroField('time', isOdd, dice), request_id: avroField('text', isOdd, dice) };
  if (dice.below(3) === 0)
    top.unknown = dice.oneOf([
      avroField('text', isOdd, dice),
      avroField('money', isOdd, dice),
      { type: { type: 'array', items: 'long' }, value: () => [1n, 2n] },
    ]);
  const fieldsOf = (fields: Record<string, AvroField>) => Object.entries(fields).map(([name, { type }]) => ({ name, type }));
  const valuesOf = (fields: Record<string, AvroField>) => Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value(dice)]));
  const schema = {
    type: 'record',
    name: 'BidRequest',
    fields: [
      ...fieldsOf(top),
      ...Object.entries(groups).map(([name, fields]) => ({ name, type: { type: 'record', name: `${name}Type`, fields: fieldsOf(fields) } })),
    ],
  };
  return { schema, make: () => ({ ...valuesOf(top), ...Object.fromEntries(Object.entries(groups).map(([name, fields]) => [name, valuesOf(fields)])) }) };
}

/** One source a call, from its seed: odd records among plain ones, cut anywhere, under any settings. Each gives the share of rows that came by the lane. */
export const LANE_CASES: Readonly<Record<string, (seed: number) => Promise<number>>> = {
  'ad-impressions as JSON': (seed) => jsonCase('ad-impressions', seed),
  'bid-requests as JSON': (seed) => jsonCase('bid-requests', seed),
  'bid-requests as Avro': avroCase,
  'ad-impressions as JSON messages': jsonMessageCase,
  'bid-requests as Avro messages': avroMessageCase,
};

function jsonCase(feed: Feed, seed: number): Promise<number> {
  const dice = new Dice(seed);
  const lines = Array.from({ length: 20 }, () => jsonRecord(feed, dice) + dice.oneOf(['\n', '\n', '\n', '\r\n', '\n\n', ' \n', '']));
  const sound = new TextEncoder().encode(lines.join(''));
  const bytes = seed % 3 === 0 ? mutate(sound, dice) : sound;
  return expectSame({
    feed,
    encoding: 'json',
    bytes,
    cuts: seed % 2 === 0 ? [dice.below(bytes.length), dice.below(bytes.length)] : [],
    nullSpellings: dice.oneOf([['', 'null', 'NULL', '-'], [], ['c1', '0', '12']]),
    timeZone: dice.oneOf(['UTC', 'UTC', 'Europe/Berlin']),
    reportingTimeZone: dice.oneOf(['UTC', 'Asia/Kathmandu', 'America/New_York']),
    maxRecordBytes: dice.oneOf([10_000, 600]),
    chunkRecords: dice.oneOf([7, 100_000]),
  });
}

function avroCase(seed: number): Promise<number> {
  const dice = new Dice(seed);
  const { schema, make } = bidRequests(dice);
  const { bytes } = writeAvro(schema, [Array.from({ length: 12 }, make), Array.from({ length: 5 }, make)], dice.oneOf(['null', 'deflate']));
  return expectSame({
    feed: 'bid-requests',
    encoding: 'avro',
    bytes: seed % 4 === 0 ? mutate(bytes, dice) : bytes,
    nullSpellings: dice.oneOf([['', 'null', 'NULL', '-'], [], ['c1', '0', '12']]),
    chunkRecords: dice.oneOf([7, 100_000]),
  });
}

function jsonMessageCase(seed: number): Promise<number> {
  const dice = new Dice(seed);
  const messages = Array.from({ length: 20 }, () => {
    const message = Buffer.from(jsonRecord('ad-impressions', dice) + dice.oneOf(['', '', '\n', '\r\n', ' ', '\n{}', '{}']));
    return dice.below(6) === 0 ? mutate(message, dice) : message;
  });
  return expectSame({
    feed: 'ad-impressions',
    encoding: 'json',
    bytes: NOTHING,
    messages,
    maxRecordBytes: dice.oneOf([10_000, 600]),
    chunkRecords: dice.oneOf([7, 100_000]),
  });
}

/** Of several schemas, one after the other. */
function avroMessageCase(seed: number): Promise<number> {
  const dice = new Dice(seed);
  const writers = Array.from({ length: 3 }, () => bidRequests(dice));
  const types = writers.map(({ schema }) => avroType(schema));
  const messages = Array.from({ length: 20 }, () => {
    const which = dice.below(writers.length);
    const message = confluentMessage(which + 1, (types[which] as (typeof types)[number]).toBuffer((writers[which] as (typeof writers)[number]).make()));
    return dice.below(6) === 0
      ? dice.oneOf([mutate(message, dice), Buffer.concat([message, Buffer.from([dice.below(256)])]), message.subarray(0, dice.below(message.length))])
      : message;
  });
  const schemas = schemasOf(...writers.map(({ schema }) => schema));
  return expectSame({ feed: 'bid-requests', encoding: 'avro', bytes: NOTHING, messages, schemas, chunkRecords: dice.oneOf([7, 100_000]) });
}

const NOTHING = new Uint8Array(0);
