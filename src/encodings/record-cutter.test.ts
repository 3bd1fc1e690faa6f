import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SchemaCases } from '../../test/encodings/avro-cases.ts';
import { CODECS, writeAvro } from '../../test/encodings/avro-files.ts';
import { decodeAll, optionsFor, type Seen } from '../../test/encodings/decode-all.ts';
import { Dice, mutate } from '../../test/encodings/mutate.ts';
import type { Encoding } from '../domain/feeds.ts';
import { RecordCutter } from './record-cutter.ts';

/** The bug this hunts: a record of a stream that is in no piece, or in two, or is read in another way there. */

interface Cut {
  readonly pieces: readonly Uint8Array[];
  readonly isOver: boolean;
}

/** Pushes the bytes in parts, and takes what is ready between two of them, or now and then. */
function cutAll(
  encoding: Encoding,
  bytes: Uint8Array,
  cuts: readonly number[],
  options: { maxHeldBytes?: number; maxRecordBytes?: number; everyTime?: boolean } = {},
): Cut {
  const { everyTime = true, ...limits } = options;
  const cutter = new RecordCutter({ ...optionsFor(encoding), ...limits });
  const pieces: Uint8Array[] = [];
  const takeAll = () => {
    for (let piece = cutter.take(); piece !== undefined; piece = cutter.take()) pieces.push(piece);
  };
  let at = 0;
  for (const [index, cut] of [...cuts, bytes.length].sort((a, b) => a - b).entries()) {
    cutter.push(bytes.slice(at, cut));
    at = Math.max(at, cut);
    if (everyTime || index % 3 === 2) takeAll();
  }
  cutter.end();
  takeAll();
  return { pieces, isOver: cutter.isOver };
}

function decodePieces(encoding: Encoding, pieces: readonly Uint8Array[], maxRecordBytes = 1 << 20): Pick<Seen, 'outcomes' | 'complete'> {
  const seen = pieces.map((piece) => decodeAll(optionsFor(encoding, { maxRecordBytes }), piece));
  return { outcomes: seen.flatMap(({ outcomes }) => outcomes), complete: seen.every(({ complete }) => complete) };
}

const text = (pieces: readonly Uint8Array[]) => pieces.map((piece) => Buffer.from(piece).toString());
const utf8 = (string: string) => new Uint8Array(Buffer.from(string));

describe('pieces', () => {
  it('end where records end, as soon as they do', () => {
    const json = utf8('{"id":1}\n{"id":2}\n{"id":3}');
    expect(text(cutAll('json', json, [4, 9, 15]).pieces)).toEqual(['{"id":1}\n', '{"id":2}\n', '{"id":3}']);
    const csv = utf8('id,user\n1,"a\nb"\n2,c\n');
    expect(text(cutAll('csv', csv, [3, 9, 13, 16]).pieces)).toEqual(['id,user\n1,"a\nb"\n', 'id,user\n2,c\n']);
    const array = utf8('[{"id":1},\n{"id":2}, {"id":3}]\n');
    expect(text(cutAll('json', array, [12, 21]).pieces)).toEqual(['[{"id":1}]', '[{"id":2}]', '[{"id":3}]\n']);
  });

  it('are none where there is no record', () => {
    expect(cutAll('json', utf8(' \n\n'), [1]).pieces).toEqual([]);
    expect(cutAll('csv', utf8('id,user\n'), [3]).pieces).toEqual([]);
    expect(cutAll('json', utf8(''), []).pieces).toEqual([]);
  });

  it('make one malformed record of what is cut at the end, and of a stream that should have gone on', () => {
    for (const [encoding, sound, open] of [
      ['json', '{"id":1}\n', '{"id":2'],
      ['csv', 'id\n1\n', '"2'],
    ] as const) {
      expect(decodePieces(encoding, cutAll(encoding, utf8(sound + open), [4]).pieces).outcomes.slice(1)).toEqual(['malformed']);
      const cutter = new RecordCutter(optionsFor(encoding));
      cutter.push(utf8(sound));
      const first = cutter.take() as Uint8Array;
      cutter.end(true);
      const rest = cutter.take() as Uint8Array;
      expect(decodePieces(encoding, [first, rest]).outcomes.slice(1)).toEqual(['malformed']);
      expect(cutter.take()).toBeUndefined();
    }
  });

  it('do not begin like compressed bytes', () => {
    const { pieces } = cutAll('json', new Uint8Array(Buffer.from('{"id":1}\n\x1f\x8b{"id":2}\n(\xb5/\xfd\n', 'latin1')), [9, 20]);
    expect(pieces.map((piece) => piece[0])).toEqual([0x7b, 0x0a, 0x0a]);
    expect(decodePieces('json', pieces).outcomes.slice(1)).toEqual(['malformed', 'malformed']);
  });

  it('hold little of what is too large, and lose nothing behind it', () => {
    const large = 'x'.repeat(5_000);
    for (const [encoding, bytes] of [
      ['json', `{"id":1}\n{"id":"${large}"}\n{"id":2}\n${large}\n{"id":3}{"id":"${large}","user":{}}{"id":4}\n`],
      ['json', `[{"id":1},{"id":"${large}","user":[{}]},{"id":2},\n{"id":3}]`],
      ['csv', `id,user\n1,a\n${large},b\n2,c\n"${large}\n${large}",d\n3,"e"\n`],
    ] as const) {
      const options = { maxHeldBytes: 400, maxRecordBytes: 100 };
      for (const part of [1, 7, 64, 10_000]) {
        const cuts = Array.from({ length: Math.floor(bytes.length / part) }, (_, index) => (index + 1) * part);
        const { pieces } = cutAll(encoding, utf8(bytes), cuts, options);
        expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(1_000);
        expect(decodePieces(encoding, pieces, 100).outcomes).toEqual(decodeAll(optionsFor(encoding, { maxRecordBytes: 100 }), bytes).outcomes);
      }
    }
  });
});

it('cuts a block of Avro that is too large, and goes on behind it', () => {
  const record = (user: string) => ({ id: 'i', user });
  const schema = {
    type: 'record',
    name: 'r',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'user', type: 'string' },
    ],
  };
  const { bytes } = writeAvro(schema, [[record('a')], [record('x'.repeat(50_000))], [record('b')], [record('c')]], 'null');
  for (const part of [7, 1_000, 100_000]) {
    const cuts = Array.from({ length: Math.floor(bytes.length / part) }, (_, index) => (index + 1) * part);
    const { pieces } = cutAll('avro', bytes, cuts, { maxHeldBytes: 4_000 });
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(6_000);
    const users = decodePieces('avro', pieces).outcomes.map((outcome) => (typeof outcome === 'string' ? outcome : outcome['user']?.[1]));
    expect(users).toEqual(['a', 'malformed', 'b', 'c']);
  }
});

const SEEDS: Readonly<Record<'json' | 'csv', readonly string[]>> = {
  json: [
    '{"id":"a","user":1,"auction":{"user_id":"\\u00e9","amount":-1.5e3}}\n{"id":"b","extra":{"id":1},"won":null}\n{}\n{"id":"c"}{"id":"d"} {"id":"é"}\r\n\r\n',
    '{\n  "id": "a",\n  "user": [1, 2]\n}\n{\n  "id": "b"\n}\n{"id":1,"id":2}\n{"id":"\\ud800"}\n',
    '[{"id":"a"},{"user":"b","x":[1,2]},\n{"price":1.5},3,"x",{"id":"z"}\n]\n',
  ],
  csv: [
    'id,user,price,x\n1,2,3,4\n"a","b ""q"" c","l1\nl2",é\n,,,\n6,7,8,9\n',
    '\ufeffid,x, user \r\n"1,2",3,4\r\n\r\n5,"6\r\n7",8\r\na,b,c\r\n1,2,3\r\n',
    'id\na\n"b"\n\nc\n',
  ],
};

describe('a stream with faults', () => {
  it.each(['json', 'csv'] as const)(
    'of %s gives the same in pieces as in whole',
    (encoding) => {
      for (let seed = 1; seed <= 1_500; seed++) {
        const dice = new Dice(seed);
        const [one, two] = [dice.oneOf(SEEDS[encoding]), dice.oneOf(SEEDS[encoding])];
        // An array with objects behind it is damaged there: in pieces it need not be.
        const sound = one.startsWith('[') === two.startsWith('[') ? one + two : one + one;
        const bytes = mutate(Buffer.from(sound), dice);
        const cuts = dice.below(3) === 0 ? Array.from(bytes.keys()) : Array.from({ length: dice.below(12) }, () => dice.below(bytes.length + 1));
        const { pieces } = cutAll(encoding, bytes, cuts, { everyTime: dice.below(2) === 0 });
        const whole = decodeAll(optionsFor(encoding), bytes);
        const isSame = isDeepStrictEqual(decodePieces(encoding, pieces), { outcomes: whole.outcomes, complete: whole.complete });
        expect({ seed, isSame, pieces: isSame ? [] : text(pieces) }).toEqual({ seed, isSame: true, pieces: [] });
      }
    },
    120_000,
  );

  it('of Avro gives the same in pieces as in whole', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const dice = new Dice(seed);
      const cases = new SchemaCases(dice).next();
      const blocks = Array.from({ length: 1 + dice.below(5) }, () => Array.from({ length: 1 + dice.below(4) }, () => cases.make().value));
      const { bytes: sound } = writeAvro(cases.schema, blocks, dice.oneOf(CODECS));
      const bytes = dice.below(2) === 0 ? sound : mutate(sound, dice);
      const cuts = Array.from({ length: dice.below(12) }, () => dice.below(bytes.length + 1));
      const whole = decodeAll(optionsFor('avro'), bytes);
      const { pieces } = cutAll('avro', bytes, cuts);
      expect({ seed, isSame: isDeepStrictEqual(decodePieces('avro', pieces), { outcomes: whole.outcomes, complete: whole.complete }) }).toEqual({
        seed,
        isSame: true,
      });
    }
  }, 120_000);
});
