import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SchemaCases } from '../../../test/encodings/avro-cases.ts';
import { avroType } from '../../../test/encodings/avro-files.ts';
import { Dice } from '../../../test/encodings/mutate.ts';
import { canonicalForm, schemaFingerprint } from './fingerprint.ts';

describe('a fingerprint', () => {
  // Of the Avro project's own test data (share/test/data/schema-tests.txt).
  it.each([
    ['"null"', 7195948357588979594n],
    ['{"type":"null"}', 7195948357588979594n],
    ['"boolean"', -6970731678124411036n],
    ['"int"', 8247732601305521295n],
    ['"long"', -3434872931120570953n],
    ['"float"', 5583340709985441680n],
    ['"double"', -8181574048448539266n],
    ['"bytes"', 5746618253357095269n],
    ['"string"', -8142146995180207161n],
    ['[ "int"  ]', -5232228896498058493n],
    ['[ "int" , {"type":"boolean"} ]', 5392556393470105090n],
    ['{"type":"fixed","name":"foo","size":15}', 1756455273707447556n],
    ['{"fields":[{"type":"boolean","name":"f1"}],"doc":"x","type":"record","name":"foo"}', 7843277075252814651n],
    ['{"type":"record","name":"PigValue","fields":[{"name":"value","type":["null","int","long","PigValue"]}]}', -1759257747318642341n],
  ])('of %s is the published one', (schema, fingerprint) => {
    expect(BigInt.asIntN(64, schemaFingerprint(schema))).toBe(fingerprint);
  });

  it('is of full names, whatever stands around them', () => {
    const nested = (inner: unknown) =>
      JSON.stringify({ type: 'record', name: 'A', namespace: 'x.y', doc: 'd', fields: [{ name: 'b', type: inner, default: null, doc: 'e' }] });
    expect(canonicalForm(nested({ type: 'enum', name: 'E', symbols: ['a'], aliases: ['F'] }))).toBe(
      '{"name":"x.y.A","type":"record","fields":[{"name":"b","type":{"name":"x.y.E","type":"enum","symbols":["a"]}}]}',
    );
    expect(schemaFingerprint(nested(['null', 'A']))).toBe(schemaFingerprint(nested([{ type: 'null' }, 'x.y.A'])));
    expect(canonicalForm(nested({ type: 'fixed', name: 'F', namespace: '', size: 4 }))).toContain('{"name":"F","type":"fixed","size":4}');
  });

  it('is of the form that another library finds', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { schema } = new SchemaCases(new Dice(seed)).next();
        const theirs = JSON.stringify(avroType(schema).schema());
        expect(JSON.parse(canonicalForm(JSON.stringify(schema)))).toEqual(JSON.parse(theirs));
      }),
      { numRuns: 200 },
    );
  });
});
