import { describe, expect, it } from 'vitest';
import { compileContract } from '../contracts/compile-contract.ts';
import { type Contract, type ContractField, FIELD_TYPES, type FieldType } from '../contracts/contract.ts';
import { pathsOf } from '../contracts/field-plan.ts';
import { type ArrivingKind, readFields } from '../encodings/avro/read-fields.ts';
import { RecordSlots, ValueKind } from '../encodings/record-slots.ts';
import { compareFields, takingOf } from './compare-fields.ts';

const MICROS = '1773480413589793';
const SAMPLES: Readonly<Record<Exclude<ArrivingKind, 'null'>, readonly [kind: ValueKind, texts: readonly string[]]>> = {
  boolean: [ValueKind.boolean, ['true', 'false']],
  'whole number': [ValueKind.number, ['0', '1', '-1', '1773480413', MICROS, '20454']],
  number: [ValueKind.number, ['0.5', '5', '1', '1773480413', '1773480413.5', '-0.25']],
  text: [ValueKind.text, ['a', '1', 'true', '0.5', 'USD', 'DE', '2026-03-14', '2026-03-14T09:26:53Z', 'news.example', 'desktop']],
  time: [ValueKind.micros, [MICROS]],
  date: [ValueKind.text, ['2026-03-14', '2020-01-01']],
  'list, map or record': [ValueKind.nested, ['']],
};
const field = (name: string, type: FieldType, more: Partial<ContractField> = {}): ContractField => ({
  name,
  pointer: `/${name}`,
  aliases: [],
  column: name,
  type,
  required: false,
  mustBePresent: false,
  ...(type === 'enum' ? { values: ['desktop', '1', '0.5', MICROS, '2026-03-14'] } : {}),
  ...more,
});
const contractOf = (...fields: ContractField[]): Contract => ({ feed: 'users', version: '1.0.0', path: 'users.odcs.yaml', fields });

describe('what a field takes', () => {
  it.each(FIELD_TYPES.flatMap((type) => (Object.keys(SAMPLES) as (keyof typeof SAMPLES)[]).map((kind) => [type, kind] as const)))(
    'of type %s from %s is what its check takes',
    (type, kind) => {
      const check = compileContract(contractOf(field('x', type)), { nullSpellings: [], timeZone: 'UTC' });
      const [valueKind, texts] = SAMPLES[kind];
      const slots = new RecordSlots(1);
      const taken = texts.filter((text) => {
        slots.set(0, valueKind, Buffer.from(text), 0, text.length);
        return check.check(slots, Number(MICROS));
      });
      if (takingOf(type, kind) === 'never') expect(taken).toEqual([]);
      else expect(taken).not.toEqual([]);
    },
  );
});

describe('a schema beside a contract', () => {
  const compare = (contract: Contract, ...members: [name: string, type: unknown][]) => {
    const text = JSON.stringify({ type: 'record', name: 'E', fields: members.map(([name, type]) => ({ name, type })) });
    const read = readFields(text, contract.fields.map(pathsOf));
    if ('problem' in read) throw new Error(read.problem);
    const { findings, refused } = compareFields(contract, read);
    return { findings: findings.map(({ breaks, field: name, message }) => `${breaks ? 'breaks' : 'notes'} ${name}: ${message}`), refused: [...refused] };
  };
  const inner = (...members: [name: string, type: unknown][]) => ({ type: 'record', name: 'I', fields: members.map(([name, type]) => ({ name, type })) });

  it('with a field under two names breaks, where a record can hold both', () => {
    const contract = contractOf(field('user', 'id', { aliases: ['uid', 'a.user'] }));
    expect(compare(contract, ['user', 'string'], ['uid', 'long']).findings).toEqual([
      'breaks user: the schema has it under the names user and uid: a record that holds both is malformed',
    ]);
    expect(compare(contract, ['user', 'string'], ['a', ['null', inner(['user', 'string'])]]).findings).toEqual([
      'notes user: the schema has it under the names user and a.user: a record that holds both is malformed',
    ]);
  });

  it('is told apart by what some records may lack, or hold in another type', () => {
    const contract = contractOf(field('a.id', 'id', { required: true }), field('price', 'money'), field('at', 'timestamp', { required: true }));
    const members = [
      ['a', ['null', inner(['id', 'string'])]],
      ['price', ['string', 'boolean', 'null']],
      ['at', 'null'],
      ['x', 'int'],
    ] as [string, unknown][];
    expect(compare(contract, ...members)).toEqual({
      findings: [
        'notes a.id: it may be absent in the schema, and the contract asks for it: records without it are refused',
        'notes price: it may be boolean in the schema, which money in the contract does not take',
        'notes price: it is text in the schema: only values that can be money are taken',
        'breaks at: the contract requires it, and it is always null in the schema: every record is refused',
        'notes : the contract does not know x: ignored, and counted as drift',
      ],
      refused: ['at'],
    });
  });
});
