import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Contract, ContractField } from './contract.ts';
import { CONTRACT_CHANGE_KINDS, type ContractChangeKind, diffContracts } from './diff-contracts.ts';
import { loadContracts } from './load-contract.ts';

function field(more: Partial<ContractField> = {}): ContractField {
  return { name: 'price', pointer: '/price', aliases: [], column: 'price', type: 'money', required: false, mustBePresent: false, ...more };
}

const OTHER = field({ name: 'user', column: 'user_id', type: 'id' });

function contractOf(version: string, ...fields: readonly ContractField[]): Contract {
  return { feed: 'ad-impressions', version, path: 'x.odcs.yaml', fields };
}

/** The changes from one field to another beside one that stays, as `kind breaks`. */
function changes(before: Partial<ContractField>, after: Partial<ContractField>): string[] {
  return diffContracts(contractOf('1', field(before), OTHER), contractOf('2', field(after), OTHER)).map(
    ({ kind, breaksReaders, breaksWriters }) => `${kind} ${[breaksReaders && 'readers', breaksWriters && 'writers'].filter(Boolean).join('+') || 'nobody'}`,
  );
}

const CASES: readonly [string, Partial<ContractField>, Partial<ContractField>, readonly string[]][] = [
  ['nothing', {}, { description: 'other words', examples: [1] }, []],
  ['renamed', {}, { name: 'cost' }, ['field_renamed writers']],
  ['renamed, the old name kept', {}, { name: 'cost', aliases: ['price'] }, ['field_renamed nobody']],
  ['renamed to what was an alias', { aliases: ['cost'] }, { name: 'cost' }, ['field_renamed writers']],
  ['the name and an alias swapped', { aliases: ['cost'] }, { name: 'cost', aliases: ['price'] }, ['field_renamed nobody']],
  ['alias added', {}, { aliases: ['cost'] }, ['alias_added nobody']],
  ['alias removed', { aliases: ['cost'] }, {}, ['alias_removed writers']],
  ['another column', {}, { column: 'cost' }, ['column_renamed readers']],
  ['another type', {}, { type: 'integer' }, ['type_changed both']],
  ['another type, stored alike', { type: 'id' }, { type: 'host' }, ['type_changed writers']],
  ['a wider type, stored alike', { type: 'id' }, { type: 'text' }, ['type_changed nobody']],
  ['enum to text', { type: 'enum', values: ['a'] }, { type: 'text' }, ['type_changed nobody']],
  ['text to enum', { type: 'text' }, { type: 'enum', values: ['a'] }, ['type_changed writers']],
  ['number to text', { type: 'money', maximum: 5 }, { type: 'text' }, ['type_changed both']],
  ['required', {}, { required: true }, ['made_required writers']],
  ['required, and there before', { mustBePresent: true }, { required: true }, ['made_required writers']],
  ['optional', { required: true }, {}, ['made_optional readers', 'presence_released nobody']],
  ['optional, but there', { required: true }, { mustBePresent: true }, ['made_optional readers']],
  ['to be there', {}, { mustBePresent: true }, ['presence_demanded writers']],
  ['not to be there', { mustBePresent: true }, {}, ['presence_released nobody']],
  ['a value more', { type: 'enum', values: ['a'] }, { type: 'enum', values: ['a', 'b'] }, ['value_added nobody']],
  ['a value less', { type: 'enum', values: ['a', 'b'] }, { type: 'enum', values: ['b'] }, ['value_removed writers']],
  ['another value', { type: 'enum', values: ['a'] }, { type: 'enum', values: ['b'] }, ['value_removed writers', 'value_added nobody']],
  ['other order of values', { type: 'enum', values: ['a', 'b'] }, { type: 'enum', values: ['b', 'a'] }, []],
  ['a minimum', {}, { minimum: 1 }, ['range_tightened writers']],
  ['a higher minimum', { minimum: 1 }, { minimum: 2 }, ['range_tightened writers']],
  ['a lower minimum', { minimum: 2 }, { minimum: 1 }, ['range_widened nobody']],
  ['no minimum', { minimum: 2 }, {}, ['range_widened nobody']],
  ['a lower maximum', { maximum: 9 }, { maximum: 8 }, ['range_tightened writers']],
  ['a higher maximum', { maximum: 8 }, { maximum: 9 }, ['range_widened nobody']],
  ['a moved range', { minimum: 1, maximum: 5 }, { minimum: 2, maximum: 6 }, ['range_tightened writers', 'range_widened nobody']],
  ['a shorter text', { type: 'text', maxLength: 9 }, { type: 'text', maxLength: 8 }, ['length_tightened writers']],
  ['a longer text', { type: 'text', maxLength: 8 }, { type: 'text' }, ['length_widened nobody']],
  ['a minimum length', { type: 'text' }, { type: 'text', minLength: 2 }, ['length_tightened writers']],
  ['a smaller minimum length', { type: 'text', minLength: 2 }, { type: 'text', minLength: 1 }, ['length_widened nobody']],
  ['a pattern', { type: 'text' }, { type: 'text', pattern: 'a' }, ['pattern_added writers']],
  ['another pattern', { type: 'text', pattern: 'a' }, { type: 'text', pattern: 'b' }, ['pattern_changed writers']],
  ['no pattern', { type: 'text', pattern: 'a' }, { type: 'text' }, ['pattern_removed nobody']],
  [
    'several things',
    { aliases: ['a'] },
    { aliases: ['b'], required: true, minimum: 1 },
    ['alias_removed writers', 'alias_added nobody', 'made_required writers', 'range_tightened writers'],
  ],
  ['another name and another column', {}, { name: 'cost', column: 'cost' }, ['field_added nobody', 'field_removed readers']],
];

describe('diffContracts', () => {
  test.each(CASES)('%s', (_, before, after, expected) => {
    expect(changes(before, after)).toEqual(expected.map((change) => change.replace('both', 'readers+writers')));
  });

  test('fields that come and go', () => {
    const before = contractOf('1', OTHER, field());
    const after = contractOf(
      '2',
      field({ name: 'a', column: 'a' }),
      OTHER,
      field({ name: 'b', column: 'b', required: true }),
      field({ name: 'c', column: 'c', mustBePresent: true }),
    );
    expect(diffContracts(before, after)).toEqual([
      { kind: 'field_added', field: 'a', breaksReaders: false, breaksWriters: false, message: 'a was added as optional, stored in a' },
      { kind: 'field_added', field: 'b', breaksReaders: false, breaksWriters: true, message: 'b was added as required: records without it are quarantined' },
      {
        kind: 'field_added',
        field: 'c',
        breaksReaders: false,
        breaksWriters: true,
        message: 'c was added and must be there: records without its column or key are quarantined',
      },
      {
        kind: 'field_removed',
        field: 'price',
        breaksReaders: true,
        breaksWriters: false,
        message: 'price was removed: the column price is no longer filled, what is sent for it is ignored',
      },
    ]);
  });

  test('a field that took over another’s column is that field, under another name', () => {
    const before = contractOf('1', field({ name: 'a', column: 'x' }), field({ name: 'b', column: 'y' }));
    const after = contractOf('2', field({ name: 'b', column: 'x' }), field({ name: 'a', column: 'y' }));
    expect(diffContracts(before, after).map(({ kind, field: name }) => `${name} ${kind}`)).toEqual(['b field_renamed', 'a field_renamed']);
  });

  test('bounds are shown as the contract writes them', () => {
    const message = (before: Partial<ContractField>, after: Partial<ContractField>) =>
      diffContracts(contractOf('1', field(before)), contractOf('2', field(after)))[0]?.message;
    expect(message({}, { maximum: 2_500_000 })).toBe('the maximum of price is 2.5 instead of none');
    expect(message({ type: 'date', minimum: 20_526 }, { type: 'date', minimum: 20_527 })).toBe('the minimum of price is 2026-03-15 instead of 2026-03-14');
    expect(message({ type: 'id' }, { type: 'money' })).toBe('price is money instead of id: the column price becomes BIGINT (micros) instead of VARCHAR');
  });

  test('a change that keeps the version, and another feed', () => {
    expect(diffContracts(contractOf('1', field()), contractOf('1', field({ required: true }))).map(({ kind }) => kind)).toEqual([
      'made_required',
      'version_unchanged',
    ]);
    expect(diffContracts(contractOf('1', field()), contractOf('2', field()))).toEqual([]);
    expect(diffContracts(contractOf('1'), { ...contractOf('2'), feed: 'users' })).toEqual([
      { kind: 'feed_changed', field: '', breaksReaders: true, breaksWriters: true, message: 'the contract was for ad-impressions and is for users' },
    ]);
  });

  test('each kind of change is shown by one of these tests', () => {
    const shown = new Set(CASES.flatMap(([, , , expected]) => expected.map((change) => change.split(' ')[0] as ContractChangeKind)));
    const elsewhere: ContractChangeKind[] = ['field_added', 'field_removed', 'feed_changed', 'version_unchanged'];
    expect([...new Set([...shown, ...elsewhere])].sort()).toEqual([...CONTRACT_CHANGE_KINDS].sort());
  });

  test('the shipped contracts differ from themselves in nothing', async () => {
    const contracts = await loadContracts(join(import.meta.dirname, '..', '..', 'contracts'));
    for (const contract of contracts.values()) expect(diffContracts(contract, structuredClone(contract))).toEqual([]);
  });
});
