import { deepStrictEqual, ok } from 'node:assert/strict';
import * as zlib from 'node:zlib';
import type { Encoding } from '../../src/domain/feeds.ts';
import { SchemaCases } from './avro-cases.ts';
import { CODECS, writeAvro } from './avro-files.ts';
import { decodeAll, decodeStream, optionsFor, type Seen } from './decode-all.ts';
import { Dice, mutate } from './mutate.ts';
import { readRows } from './plain-csv-reading.ts';
import { readObjects } from './plain-json-reading.ts';

/*
 * One fault a call: sound input, a few mutations, any chunks. What must hold of anything: no throw, the same outcome however
 * it is cut, every record a document that decodes to itself. Of JSON and CSV the outcome is compared with a plain reading.
 */

export const JSON_SEEDS = [
  '{"id":"a","user":9007199254740993,"auction":{"user_id":"\\u00e9\\ud83d\\ude00x","amount":-1.5e3,"z":[1,{"q":null}]},"price":1,"won":true}\n{"id":"b","extra":{"id":1},"won":null}\n{}\n',
  '{\n  "id": "a",\n  "auction": {\n    "user_id": [1, 2],\n    "amount": 3\n  }\n}\n{\n  "id": "b"\n}\n',
  '{"id":"a"}{"id":"b"} {"id":"é\\n"}\r\n\r\n{"user":"\\u12"}\n{"id":"\\ud800"}\n{"id":1,"id":2}\n{"auction":{"amount":1},"auction":null}\n',
  '{"user":"żółć😀","x":{"y":"z"}}\n{"price":0.5,"other":[[[[]]],{},"a\\"b"]}\n\n{"won":false,"id":-0}\n',
];
export const ARRAY_SEEDS = [
  '[{"id":"a"},{"user":"b","x":[1,2]},\n{"price":1.5,"auction":{"amount":null}},3,"x"]\n',
  '[\n  {\n    "id": "a"\n  },\n  {}\n]\n[]\n[{"user":"\\u0041é"}]',
];
export const CSV_SEEDS = [
  'id,user,auction.user_id,price,x\n1,2,3,4,5\n"a","b ""q"" c","l1\nl2","",é\n,,,,\n6,7,8,9,10\n',
  '\ufeffid,x, user \r\n"1,2",3,4\r\n\r\n5,"6\r\n7",8\r\na,b,c',
  'id\na\n"b"\n\nc\n',
  'user,won,id\r\n"x",y,z\r\n',
];

export const FUZZ: Readonly<Record<Encoding, (seed: number) => void>> = { json: fuzzJson, csv: fuzzCsv, avro: fuzzAvro };

function fuzzJson(seed: number): void {
  const dice = new Dice(seed);
  const isArray = dice.below(4) === 0;
  const seeds = isArray ? ARRAY_SEEDS : JSON_SEEDS;
  const bytes = mutate(Buffer.from(dice.oneOf(seeds) + dice.oneOf(seeds)), dice);
  const seen = expectSame('json', bytes, dice);
  if (isArray || /^(?:\xef\xbb\xbf)?[ \t\r\n]*\[/.test(Buffer.from(bytes).toString('latin1'))) return;
  const plain = readObjects(bytes);
  deepStrictEqual({ outcomes: seen.outcomes, complete: seen.complete }, plain);
}

function fuzzCsv(seed: number): void {
  const dice = new Dice(seed);
  const bytes = mutate(Buffer.from(dice.oneOf(CSV_SEEDS) + dice.oneOf(CSV_SEEDS)), dice);
  const seen = expectSame('csv', bytes, dice);
  deepStrictEqual({ outcomes: seen.outcomes, complete: seen.complete }, readRows(bytes));
}

function fuzzAvro(seed: number): void {
  const dice = new Dice(seed);
  const cases = new SchemaCases(dice).next();
  const blocks = Array.from({ length: 1 + dice.below(3) }, () => Array.from({ length: 1 + dice.below(4) }, () => cases.make()));
  const codec = dice.oneOf(CODECS);
  const file = writeAvro(
    cases.schema,
    blocks.map((values) => values.map(({ value }) => value)),
    codec,
  );
  const expected = blocks.flat().map(({ record }) => record);
  deepStrictEqual(expectSame('avro', file.bytes, dice).outcomes, expected);
  // Blocks that end before the first fault are decoded as they were.
  const mutated = mutate(file.bytes, dice);
  const fault = mutated.findIndex((byte, at) => byte !== file.bytes[at]);
  const soundTo = fault < 0 ? Math.min(mutated.length, file.bytes.length) : fault;
  const seen = expectSame('avro', mutated, dice);
  const soundBlocks = file.ends.findLastIndex((end) => end <= soundTo);
  const certain = blocks.slice(0, Math.max(0, soundBlocks)).flat().length;
  deepStrictEqual(seen.outcomes.slice(0, certain), expected.slice(0, certain));
}

/** Decodes in any chunks, and byte by byte, with a limit that may be small. */
function expectSame(encoding: Encoding, bytes: Uint8Array, dice: Dice): Seen {
  const seen = decodeAll(optionsFor(encoding), bytes, cutsOf(bytes, dice));
  deepStrictEqual(decodeAll(optionsFor(encoding), bytes, cutsOf(bytes, dice)), seen);
  const small = optionsFor(encoding, { maxRecordBytes: dice.oneOf([1, 10, 30, 100]) });
  deepStrictEqual(decodeAll(small, bytes, cutsOf(bytes, dice)), decodeAll(small, bytes));
  const everywhere = bytes.length > 2000 || dice.below(4) > 0 ? cutsOf(bytes, dice) : Array.from(bytes.keys());
  deepStrictEqual(decodeAll(optionsFor(encoding), bytes, everywhere), seen);
  if (!seen.complete) ok(seen.malformed.length > 0, 'the file is incomplete, and nothing says why');
  const record = dice.below(seen.records.length + 1);
  if (record < seen.records.length) deepStrictEqual(decodeAll(optionsFor(encoding), seen.raws[record] as Uint8Array).outcomes, [seen.records[record]]);
  return seen;
}

function cutsOf(bytes: Uint8Array, dice: Dice): number[] {
  return Array.from({ length: dice.below(8) }, () => dice.below(bytes.length + 1));
}

/** A compressed file with faults: no throw, at most one damage, and never whole with other records than it was made of. */
export async function fuzzCompressed(seed: number): Promise<void> {
  const dice = new Dice(seed);
  const lines = Array.from({ length: 1 + dice.below(60) }, (_, i) => `{"id":${i},"user":"${dice.below(1e6)}"}\n`);
  const text = Buffer.from(lines.join(''));
  const half = dice.below(text.length);
  const parts = dice.below(2) === 0 ? [text] : [text.subarray(0, half), text.subarray(half)];
  const compress = dice.oneOf([zlib.gzipSync, (part: Buffer) => zlib.zstdCompressSync(part, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } })]);
  const sound = Buffer.concat(parts.map((part) => compress(part)));
  const input = mutate(sound, dice);
  const seen = await decodeStream(optionsFor('json'), input, 'events', 1 + dice.below(input.length + 1), dice.below(2) === 0);
  // A fault in the first bytes makes it something else (lines of garbage); a cut between members cannot be seen.
  const isCompressed = (input[0] === 0x1f && input[1] === 0x8b) || (input[0] === 0x28 && input[1] === 0xb5 && input[2] === 0x2f && input[3] === 0xfd);
  if (!isCompressed) return;
  const whole = decodeAll(optionsFor('json'), text);
  const first = decodeAll(optionsFor('json'), parts[0] as Buffer);
  if (seen.complete)
    ok(
      [whole, first].some(({ records }) => isSubset(seen, records)),
      'whole, with other records',
    );
}

/** Members or frames may be repeated or taken out by a mutation; no record may be another one. */
function isSubset(seen: Seen, records: Seen['records']): boolean {
  const known = new Set(records.map((record) => JSON.stringify(record)));
  return seen.records.every((record) => known.has(JSON.stringify(record)) || seen.malformed.length > 0);
}
