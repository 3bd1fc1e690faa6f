import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SchemaCases } from '../../test/encodings/avro-cases.ts';
import { CONTRACT_FIELDS, READER, seenByReader, writerVersion } from '../../test/encodings/avro-evolution.ts';
import { avroType } from '../../test/encodings/avro-files.ts';
import { decodeAll, FIELDS, optionsFor, type SeenRecord } from '../../test/encodings/decode-all.ts';
import { confluentMessage, decodeMessages, schemasOf } from '../../test/encodings/decode-messages.ts';
import { CSV_SEEDS, JSON_SEEDS } from '../../test/encodings/fuzz-cases.ts';
import { Dice, mutate } from '../../test/encodings/mutate.ts';

const basics = { fields: FIELDS.map((name) => ({ paths: [name.split('.')] })), maxRecordBytes: 1 << 20 };

describe('Avro messages', () => {
  it('of any schemas, one after the other, are read as avsc wrote them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), fc.array(fc.nat(3), { maxLength: 12 }), async (seeds, order) => {
        const cases = seeds.map((seed) => new SchemaCases(new Dice(seed)).next());
        const types = cases.map(({ schema }) => avroType(schema));
        const made = order.map((number) => {
          const which = number % cases.length;
          const { value, record } = (cases[which] as (typeof cases)[number]).make();
          return { message: confluentMessage(which + 1, (types[which] as (typeof types)[number]).toBuffer(value)), record };
        });
        const schemas = schemasOf(...cases.map(({ schema }) => schema));
        const seen = await decodeMessages(
          { encoding: 'avro', framing: 'confluent', schemas, ...basics },
          made.map(({ message }) => message),
        );
        expect(seen.outcomes).toEqual(made.map(({ record }) => record));
        for (const [index, raw] of seen.raws.entries()) expect(decodeAll(optionsFor('avro'), raw).outcomes).toEqual([seen.outcomes[index]]);
      }),
      { numRuns: 200 },
    );
  });

  it('of a schema that was changed are read as by a reader that resolves the change', async () => {
    const reader = avroType(READER);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), fc.nat(), async (seeds, seed) => {
        const dice = new Dice(seed);
        const versions = seeds.map((each) => writerVersion(new Dice(each)));
        const made = Array.from({ length: 12 }, () => {
          const which = dice.below(versions.length);
          const { schema, make, unit } = versions[which] as (typeof versions)[number];
          const writer = avroType(schema);
          const bytes = writer.toBuffer(make());
          const expected = reader.fromBuffer(bytes, reader.createResolver(writer)) as Record<string, unknown>;
          return { message: confluentMessage(which + 1, bytes), expected: seenByReader(expected, unit) };
        });
        const schemas = schemasOf(...versions.map(({ schema }) => schema));
        const seen = await decodeMessages(
          { encoding: 'avro', framing: 'confluent', schemas, fields: CONTRACT_FIELDS, maxRecordBytes: 1 << 20 },
          made.map(({ message }) => message),
        );
        expect(seen.outcomes.map((outcome) => withoutNulls(outcome as SeenRecord))).toEqual(made.map(({ expected }) => expected));
      }),
      { numRuns: 400 },
    );
  });

  it('that are damaged in any way give one outcome each, and their bytes are kept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (seed, faults) => {
        const cases = new SchemaCases(new Dice(seed)).next();
        const type = avroType(cases.schema);
        const dice = new Dice(faults);
        const values = Array.from({ length: 20 }, () => mutate(confluentMessage(1, type.toBuffer(cases.make().value)), dice));
        const { outcomes } = await decodeMessages({ encoding: 'avro', framing: 'confluent', schemas: schemasOf(cases.schema), ...basics }, values);
        for (const [index, outcome] of outcomes.entries()) if ('code' in outcome) expect(outcome.raw).toEqual(new Uint8Array(values[index] as Uint8Array));
      }),
      { numRuns: 200 },
    );
  });
});

/** Null and absent are one to a contract. */
function withoutNulls(record: SeenRecord): SeenRecord {
  return Object.fromEntries(Object.entries(record).filter(([, [kind]]) => kind !== 'null'));
}

describe('JSON messages', () => {
  it('are read as the same bytes are in a stream, where those are one object', async () => {
    const inputs = fc
      .tuple(fc.constantFrom(...JSON_SEEDS.flatMap((seed) => [seed, ...seed.split('\n')])), fc.nat())
      .map(([seed, dice]) => mutate(Buffer.from(seed), new Dice(dice)));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          inputs,
          fc.jsonValue({ maxDepth: 3 }).map((value) => Buffer.from(JSON.stringify(value))),
        ),
        async (input) => {
          const { outcomes } = await decodeMessages({ encoding: 'json', ...basics }, [input]);
          const [outcome] = outcomes;
          const streamed = decodeAll(optionsFor('json'), input);
          if ('code' in (outcome as object)) expect(streamed.outcomes.length === 1 && streamed.records.length === 1 && input[0] === 0x7b).toBe(false);
          else expect(streamed.outcomes).toEqual([outcome]);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('CSV messages', () => {
  it('are read as a file of their columns and that row is', async () => {
    const columns = ['id', 'user', 'other', 'price'];
    const cells = fc.array(fc.oneof(fc.string(), fc.constantFrom('', '"a""b"', '"x,y"', '"', 'a\r', '"\n"')), { minLength: 3, maxLength: 5 });
    const inputs = fc.oneof(
      cells.map((row) => Buffer.from(row.join())),
      fc
        .tuple(fc.constantFrom(...CSV_SEEDS.flatMap((seed) => [seed, ...seed.split('\n')])), fc.nat())
        .map(([seed, dice]) => mutate(Buffer.from(seed), new Dice(dice))),
    );
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        const { outcomes } = await decodeMessages({ encoding: 'csv', columns, ...basics }, [input]);
        const [outcome] = outcomes;
        const streamed = decodeAll(optionsFor('csv'), Buffer.concat([Buffer.from(`${columns.join()}\n`), input]));
        if ('code' in (outcome as object)) expect(streamed.outcomes.length === 1 && streamed.records.length === 1).toBe(false);
        else expect(streamed.outcomes).toEqual([outcome]);
      }),
      { numRuns: 1_000 },
    );
  });
});
