import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SchemaCases } from '../../test/encodings/avro-cases.ts';
import { CODECS, writeAvro } from '../../test/encodings/avro-files.ts';
import { decodeAfter, decodeAll, FIELDS, optionsFor, type SeenRecord, type SeenValue } from '../../test/encodings/decode-all.ts';
import { ARRAY_SEEDS, JSON_SEEDS } from '../../test/encodings/fuzz-cases.ts';
import { Dice, mutate } from '../../test/encodings/mutate.ts';

const cuts = fc.array(fc.nat(5000), { maxLength: 12 });
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', '"', '\\', 'a,b', '\n', '\u0000', 'żółć', '😀'),
);

describe('JSON', () => {
  const numbers = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.maxSafeInteger());
  const values = fc.oneof(texts, numbers, fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 3 }));
  const keys = fc.oneof(fc.constantFrom('id', 'user', 'price', 'won', 'auction'), texts);
  const auctions = fc.dictionary(fc.oneof(fc.constantFrom('user_id', 'amount'), texts), values, { maxKeys: 4 });
  const objects = fc
    .tuple(fc.dictionary(keys, values, { maxKeys: 8 }), fc.option(auctions))
    .map(([object, auction]) => (auction === null ? object : { ...object, auction }));

  /** JSON.stringify's text of an object, and another one of the same meaning: any string character escaped, white space put in. */
  const written = fc.tuple(objects, fc.constantFrom(0, 1, '\t', ' \r'), fc.nat()).map(([object, indent, seed]) => {
    const dice = new Dice(seed);
    const source = JSON.stringify(object, null, indent).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '?');
    const escaped = source.replace(/"(?:[^"\\]|\\.)*"/g, (string) =>
      string.replace(/\\u[0-9a-f]{4}|\\.|[^"]/gu, (character) => (character.startsWith('\\') || dice.below(10) > 0 ? character : escapeAll(character))),
    );
    return { source: dice.below(2) === 0 ? source : escaped, object: JSON.parse(source) as Record<string, unknown> };
  });

  it('is read as JSON.parse reads it, in every layout and any chunks', () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 6 }), fc.constantFrom('lines', 'array', 'nothing between'), cuts, (records, layout, places) => {
        const sources = records.map(({ source }) => source);
        const input = layout === 'array' ? `[${sources.join(' ,\n')}]` : sources.join(layout === 'lines' ? '\r\n' : '');
        const seen = decodeAll(optionsFor('json'), input, places);
        expect(seen.malformed).toEqual([]);
        expect(seen.records).toEqual(records.map(({ object, source }) => expectedOf(object, source)));
        expect(seen.complete).toBe(true);
        expect(seen.raws.map((raw) => JSON.parse(Buffer.from(raw).toString()) as unknown)).toEqual(records.map(({ source }) => JSON.parse(source) as unknown));
      }),
      { numRuns: 400 },
    );
  });

  it('is read by a decoder that has read something else before as by a new one', () => {
    const inputs = fc.tuple(fc.constantFrom(...JSON_SEEDS, ...ARRAY_SEEDS), fc.nat()).map(([seed, dice]) => mutate(Buffer.from(seed), new Dice(dice)));
    fc.assert(
      fc.property(inputs, inputs, cuts, (before, input, places) => {
        expect(decodeAfter(optionsFor('json'), before, input, places)).toEqual(decodeAll(optionsFor('json'), input, places));
      }),
      { numRuns: 600 },
    );
  });

  it('has numbers of the digits that were written', () => {
    const digits = fc.stringMatching(/^-?(?:0|[1-9]\d{0,30})(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?$/);
    fc.assert(
      fc.property(digits, cuts, (number, places) => {
        expect(JSON.parse(`[${number}]`)).toHaveLength(1);
        expect(decodeAll(optionsFor('json'), `{"id":${number}}`, places).records).toEqual([{ id: ['number', number] }]);
      }),
    );
  });

  it('accepts a line if and only if JSON.parse does', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"id"',
      '"a"',
      '\\',
      '\\u0041',
      '\\n',
      '0',
      '1',
      '-',
      '.',
      'e',
      '+',
      'true',
      'false',
      'null',
      ' ',
      '\t',
      'x',
    );
    const line = fc.array(pieces, { maxLength: 14 }).map((parts) => `{${parts.join('')}}`);
    const nearly = fc.tuple(line, fc.constantFrom('"id":', '"id":1,"x":', '"x":[')).map(([rest, start]) => `{${start}${rest.slice(1)}`);
    fc.assert(
      fc.property(fc.oneof(line, nearly), (text) => {
        const isJson = parses(text) && !/"id".*"id"/.test(text) && !/\}\s*\{/.test(text);
        const seen = decodeAll(optionsFor('json'), `${text}\n`);
        if (isJson) expect(seen.records).toHaveLength(1);
        else if (!parses(text) && !/\}\s*\{/.test(text)) expect(seen.outcomes).toEqual(['malformed']);
      }),
      { numRuns: 3000 },
    );
  });
});

/** All of its UTF-16 units: half a pair is no character. */
function escapeAll(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The fields of a parsed object; digits from its source, which JSON.parse hands to its reviver. */
function expectedOf(object: Record<string, unknown>, source: string): SeenRecord {
  const expected: Record<string, SeenValue> = {};
  const sourced = JSON.parse(source, function (this: unknown, _key, value: unknown, context?: { source?: string }) {
    return typeof value === 'number' ? { number: context?.source } : value;
  } as (this: unknown, key: string, value: unknown) => unknown) as Record<string, unknown>;
  for (const name of FIELDS) {
    const path = name.split('.');
    const holder = path.length === 1 ? sourced : sourced.auction;
    const original = path.length === 1 ? object : object.auction;
    if (holder === null || typeof holder !== 'object' || Array.isArray(holder) || typeof original !== 'object') continue;
    const key = path.at(-1) as string;
    if (!Object.hasOwn(holder, key)) continue;
    expected[name] = seenOf((holder as Record<string, unknown>)[key], (original as Record<string, unknown>)[key]);
  }
  return expected;
}

function seenOf(sourced: unknown, original: unknown): SeenValue {
  if (original === null) return ['null', ''];
  if (typeof original === 'string') return ['text', original];
  if (typeof original === 'number') return ['number', (sourced as { number: string }).number];
  if (typeof original === 'boolean') return ['boolean', String(original)];
  return ['nested', ''];
}

describe('CSV', () => {
  const names = fc.shuffledSubarray(['id', 'user', 'price', 'won', 'auction.amount', 'other', 'more'], { minLength: 1 });
  const delimiters = fc.constantFrom(',', ';', '\t');
  const lineBreaks = fc.constantFrom('\n', '\r\n');
  const tables = fc.tuple(names, fc.array(fc.array(texts, { minLength: 7, maxLength: 7 }), { maxLength: 8 }), delimiters, lineBreaks, fc.nat(), fc.boolean());

  it('is read as csv-parse reads it, in any chunks', () => {
    fc.assert(
      fc.property(tables, cuts, ([header, rows, delimiter, lineBreak, seed, hasMark], places) => {
        const dice = new Dice(seed);
        const write = (cell: string) => (/["\r\n;,\t]/.test(cell) || cell === '' || dice.below(3) === 0 ? `"${cell.replaceAll('"', '""')}"` : cell);
        const lines = [header, ...rows.map((row) => row.slice(0, header.length))].map((row) => row.map(write).join(delimiter));
        const input = `${hasMark ? '\ufeff' : ''}${lines.join(lineBreak)}${dice.below(2) === 0 ? lineBreak : ''}`;
        const parsed = parse(input, { delimiter, bom: true, record_delimiter: lineBreak, skip_empty_lines: true }) as string[][];
        const columns = parsed[0] as string[];
        const expected = parsed
          .slice(1)
          .map((cells) => Object.fromEntries(columns.flatMap((name, i) => ((FIELDS as readonly string[]).includes(name) ? [[name, ['text', cells[i]]]] : []))));
        // Invalid surrogates of the random texts became replacement characters on the way to bytes.
        const sound = expected.map(
          (record) =>
            JSON.parse(
              JSON.stringify(record)
                .toWellFormed()
                .replace(/\\ud[89a-f]../g, '\ufffd'),
            ) as unknown,
        );
        const seen = decodeAll(optionsFor('csv', { delimiter }), input, places);
        expect(seen.malformed).toEqual([]);
        expect(seen.records).toEqual(sound);
        expect(seen.complete).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});

describe('Avro', () => {
  it('is read as avsc wrote it, for any schema, codec and blocks, in any chunks', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 }), fc.constantFrom(...CODECS), cuts, (seed, blocks, codec, places) => {
        const cases = new SchemaCases(new Dice(seed)).next();
        const made = blocks.map((count) => Array.from({ length: count }, () => cases.make()));
        const file = writeAvro(
          cases.schema,
          made.map((records) => records.map(({ value }) => value)),
          codec,
        );
        const seen = decodeAll(optionsFor('avro'), file.bytes, places);
        expect(seen.malformed).toEqual([]);
        expect(seen.records).toEqual(made.flat().map(({ record }) => record));
        expect(seen.complete).toBe(true);
        if (seen.records.length > 0) expect(Object.keys(seen.unknownFields).sort()).toEqual([...cases.unknownFields].sort());
        for (const [i, raw] of seen.raws.entries()) expect(decodeAll(optionsFor('avro'), raw).records).toEqual([seen.records[i]]);
      }),
      { numRuns: 300 },
    );
  });
});
