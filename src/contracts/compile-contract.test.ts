import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QUARANTINE_CODES, type QuarantineCode } from '../domain/outcome.ts';
import { RecordSlots, ValueKind } from '../encodings/record-slots.ts';
import { compileContract } from './compile-contract.ts';
import type { Contract, ContractCheck, ContractField, FieldType, NormalisingRules } from './contract.ts';
import { FIELD_TYPES } from './contract.ts';

const { absent, null: nothing, text, number, boolean, nested, micros } = ValueKind;

const RULES: NormalisingRules = { nullSpellings: ['', 'null', 'NULL', '-', 'n/a', 'N/A'], timeZone: 'UTC' };
const RECEIVED_AT = Date.UTC(2026, 2, 14, 12) * 1_000;
const TEXT_TYPES: readonly FieldType[] = ['id', 'text', 'host', 'enum', 'currency', 'country'];

function field(type: FieldType, more: Partial<ContractField> = {}): ContractField {
  const values = type === 'enum' ? { values: ['desktop', 'mobile', 'CTV'] } : {};
  return { name: 'value', pointer: '/value', aliases: [], column: 'value', type, required: false, mustBePresent: false, ...values, ...more };
}

function contractOf(...fields: ContractField[]): Contract {
  return { feed: 'ad-impressions', version: '1.0.0', path: 'test.odcs.yaml', fields };
}

/** Puts values into a record, each inside other bytes, so that reading past either end shows. */
function slotsOf(...values: readonly (readonly [ValueKind, string | Uint8Array])[]): RecordSlots {
  const slots = new RecordSlots(values.length);
  for (const [index, [kind, value]] of values.entries()) {
    const bytes = Buffer.concat([Buffer.from('7~'), Buffer.from(value as Uint8Array), Buffer.from('~7')]);
    slots.set(index, kind, bytes, 2, bytes.length - 2);
  }
  return slots;
}

/** What became of the value: its column's value, null, or the code it is quarantined under. */
function outcome(check: ContractCheck, index = 0): string | number | null | { code: QuarantineCode } {
  const { result } = check;
  const { pointer, type } = check.contract.fields[index] as ContractField;
  const violation = result.violations.find((candidate) => candidate.pointer === pointer);
  if (violation) {
    expect(result.present[index], 'a refused value is not there').toBe(0);
    return { code: violation.code };
  }
  if (result.present[index] === 0) return null;
  if (!TEXT_TYPES.includes(type)) return result.numbers[index] as number;
  return Buffer.from((result.buffers[index] as Uint8Array).subarray(result.starts[index], result.ends[index])).toString();
}

function checkOne(checked: ContractField, kind: ValueKind, value: string, rules = RULES): ReturnType<typeof outcome> {
  const check = compileContract(contractOf(checked), rules);
  const good = check.check(slotsOf([kind, value]), RECEIVED_AT);
  expect(good).toBe(check.result.violations.length === 0);
  return outcome(check);
}

const code = (name: QuarantineCode) => ({ code: name });
const NOON = RECEIVED_AT;

describe('values of each type', () => {
  test.each<[FieldType, ValueKind, string, ReturnType<typeof outcome>]>([
    ['id', text, 'u-1', 'u-1'],
    ['id', text, ' \t u 1 \t ', 'u 1'],
    ['id', text, '\u00a0x', '\u00a0x'],
    ['id', text, 'Groß-ÄÖ', 'Groß-ÄÖ'],
    ['id', number, '9007199254740993001', '9007199254740993001'],
    ['id', number, '-7', '-7'],
    ['id', number, '0', '0'],
    ['id', number, '1.5', code('wrong_type')],
    ['id', number, '1e3', code('wrong_type')],
    ['id', number, '7.0', code('wrong_type')],
    ['id', text, '1.5', '1.5'],
    ['id', boolean, 'true', code('wrong_type')],
    ['id', nested, '{}', code('wrong_type')],
    ['id', text, 'a\u0000b', code('bad_id')],
    ['id', text, 'a\u001fb', code('bad_id')],
    ['id', text, 'a\tb', code('bad_id')],
    ['id', text, 'ab\n', code('bad_id')],
    ['id', text, 'a\u007f', code('bad_id')],
    ['id', text, '\u0080a', code('bad_id')],
    ['id', text, 'a\u009fb', code('bad_id')],
    ['id', text, 'a\u00a0b', 'a\u00a0b'],
    ['id', text, 'x'.repeat(256), 'x'.repeat(256)],
    ['id', text, 'x'.repeat(257), code('bad_id')],
    // Characters, not bytes and not UTF-16 units.
    ['id', text, 'ü'.repeat(256), 'ü'.repeat(256)],
    ['id', text, '😀'.repeat(256), '😀'.repeat(256)],
    ['id', text, '😀'.repeat(257), code('bad_id')],
    ['id', text, ` ${'x'.repeat(256)} `, 'x'.repeat(256)],

    ['text', text, '  two words ', 'two words'],
    ['text', text, 'a\u0000b', 'a\u0000b'],
    ['text', number, '41', '41'],
    ['text', number, '4.5', code('wrong_type')],
    ['text', boolean, 'true', code('wrong_type')],
    ['text', nested, '', code('wrong_type')],

    ['host', text, ' https://www.Example.com/x ', 'example.com'],
    ['host', text, 'http://', code('bad_id')],
    ['host', text, 'not a host', code('bad_id')],
    ['host', number, '12345', '12345'],
    ['host', boolean, 'true', code('wrong_type')],

    ['enum', text, 'mobile', 'mobile'],
    ['enum', text, ' Mobile ', 'mobile'],
    ['enum', text, 'ctv', 'CTV'],
    ['enum', text, 'CTV', 'CTV'],
    ['enum', text, 'phone', code('bad_enum')],
    ['enum', text, 'mobil', code('bad_enum')],
    ['enum', number, '1', code('bad_enum')],
    ['enum', boolean, 'true', code('wrong_type')],

    ['currency', text, 'EUR', 'EUR'],
    ['currency', text, ' eUr ', 'EUR'],
    ['currency', text, 'EU', code('bad_enum')],
    ['currency', text, 'EURO', code('bad_enum')],
    ['currency', text, 'E1R', code('bad_enum')],
    ['currency', text, 'E@R', code('bad_enum')],
    ['currency', text, 'E[R', code('bad_enum')],
    ['currency', text, 'E{R', code('bad_enum')],
    ['currency', text, 'Eü', code('bad_enum')],
    ['currency', number, '840', code('bad_enum')],
    ['country', text, 'de', 'DE'],
    ['country', text, 'DEU', code('bad_enum')],
    ['country', text, 'D', code('bad_enum')],
    ['country', text, '49', code('bad_enum')],

    ['money', text, ' 2.50 ', 2_500_000],
    ['money', number, '2.5', 2_500_000],
    ['money', number, '1.5e3', 1_500_000_000],
    ['money', text, '0.0000005', 1],
    ['money', text, '8790000', 8_790_000_000_000],
    ['money', text, '8790000.000001', code('bad_number')],
    ['money', text, '-0.01', code('bad_number')],
    ['money', text, '1,000', code('bad_number')],
    ['money', text, 'free', code('bad_number')],
    ['money', boolean, 'true', code('wrong_type')],
    ['money', nested, '[]', code('wrong_type')],

    ['integer', number, '-42', -42],
    ['integer', text, '1e3', 1_000],
    ['integer', text, '1.5', code('bad_number')],
    ['integer', text, '9007199254740993', code('bad_number')],
    ['integer', boolean, '1', code('wrong_type')],

    ['rate', text, '1.084512345', 1_084_512_345],
    ['rate', number, '1.0845123456', code('bad_number')],
    ['rate', text, '-1', code('bad_number')],

    ['timestamp', text, '2026-03-14T12:00:00Z', NOON],
    ['timestamp', text, ' 2026-03-14 12:00:00 ', NOON],
    ['timestamp', number, '1773489600', NOON],
    ['timestamp', number, '1773489600000.5', NOON + 500],
    ['timestamp', text, '1773489600000000', NOON],
    ['timestamp', number, '1.7734896e9', code('bad_timestamp')],
    ['timestamp', micros, '1773489600000000', NOON],
    // By the schema, not by magnitude: the same digits elsewhere are seconds.
    ['timestamp', micros, '1773489600', code('timestamp_out_of_range')],
    ['timestamp', micros, '946684800000000', 946_684_800_000_000],
    ['timestamp', micros, '-1', code('timestamp_out_of_range')],
    ['timestamp', micros, '-99999999999999999999', code('timestamp_out_of_range')],
    ['timestamp', micros, '9223372036854775807', code('timestamp_out_of_range')],
    ['timestamp', text, '2000-01-01T00:00:00Z', 946_684_800_000_000],
    ['timestamp', text, '1999-12-31T23:59:59.999999Z', code('timestamp_out_of_range')],
    ['timestamp', text, '2000-01-01T00:30:00+01:00', code('timestamp_out_of_range')],
    ['timestamp', text, '2026-03-14T12:10:00Z', NOON + 600_000_000],
    ['timestamp', text, '2026-03-14T12:10:00.000001Z', code('timestamp_out_of_range')],
    ['timestamp', number, '-1', code('timestamp_out_of_range')],
    ['timestamp', number, '99999999999999999', code('timestamp_out_of_range')],
    ['timestamp', number, '100000000000000000', code('bad_timestamp')],
    ['timestamp', text, 'yesterday', code('bad_timestamp')],
    ['timestamp', text, '2026-03-14', code('bad_timestamp')],
    ['timestamp', boolean, 'true', code('wrong_type')],
    ['timestamp', nested, '{}', code('wrong_type')],

    ['date', text, ' 2026-03-14 ', 20_526],
    ['date', text, '1969-12-31', -1],
    ['date', text, '2026-02-29', code('bad_timestamp')],
    ['date', text, '2026-03-14T00:00:00Z', code('bad_timestamp')],
    ['date', number, '20260314', code('bad_timestamp')],
    ['date', boolean, 'true', code('wrong_type')],

    ['boolean', boolean, 'true', 1],
    ['boolean', boolean, 'false', 0],
    ['boolean', number, '1', 1],
    ['boolean', number, '0', 0],
    ['boolean', number, '2', code('wrong_type')],
    ['boolean', number, '1.0', code('wrong_type')],
    ['boolean', text, ' TRUE ', 1],
    ['boolean', text, 'False', 0],
    ['boolean', text, '1', 1],
    ['boolean', text, 'yes', code('wrong_type')],
    ['boolean', text, 'tru', code('wrong_type')],
    ['boolean', text, 'fals', code('wrong_type')],
    ['boolean', text, 'TRUE!', code('wrong_type')],
    ['boolean', nested, '{}', code('wrong_type')],
  ])('%s, kind %i, %j', (type, kind, value, expected) => {
    expect(checkOne(field(type), kind, value)).toEqual(expected);
  });
});

describe('null, absent and required', () => {
  test.each(['', ' \t ', 'null', 'NULL', '-', 'n/a', 'N/A', ' - '])('%j means absent in every type', (value) => {
    for (const type of FIELD_TYPES) {
      expect(checkOne(field(type), text, value), type).toBeNull();
      expect(checkOne(field(type, { required: true }), text, value), type).toEqual(code('missing_field'));
    }
  });

  test.each(['Null', 'nul', 'nulls', '--', 'n/b', 'n', 'na'])('%j does not', (value) => {
    expect(checkOne(field('text'), text, value)).toBe(value);
  });

  test('spellings are the configuration’s: numbers too, and an empty text is a value where it is not one of them', () => {
    const rules: NormalisingRules = { nullSpellings: ['0', '-1', '√', ' none '], timeZone: 'UTC' };
    expect(checkOne(field('id'), number, '0', rules)).toBeNull();
    expect(checkOne(field('money'), number, '-1', rules)).toBeNull();
    expect(checkOne(field('text'), text, '√', rules)).toBeNull();
    expect(checkOne(field('text'), text, 'none', rules)).toBeNull();
    expect(checkOne(field('text'), text, 'null', rules)).toBe('null');
    expect(checkOne(field('text'), text, '', rules)).toBe('');
    expect(checkOne(field('id'), text, '', rules)).toEqual(code('bad_id'));
    expect(checkOne(field('host'), text, '', rules)).toEqual(code('bad_id'));
    expect(checkOne(field('enum'), text, '', rules)).toEqual(code('bad_enum'));
    expect(checkOne(field('money'), text, '', rules)).toEqual(code('bad_number'));
    expect(checkOne(field('timestamp'), text, '', rules)).toEqual(code('bad_timestamp'));
    expect(checkOne(field('boolean'), text, '', rules)).toEqual(code('wrong_type'));
    expect(checkOne(field('boolean'), boolean, '0', { ...rules, nullSpellings: ['true'] }), 'booleans are never spelled').toBe(0);
    expect(checkOne(field('boolean'), boolean, 'true', { ...rules, nullSpellings: ['true'] })).toBe(1);
  });

  test('a field that must be there may be null, but not absent', () => {
    const present = field('id', { mustBePresent: true });
    expect(checkOne(present, absent, '')).toEqual(code('missing_field'));
    expect(checkOne(present, nothing, '')).toBeNull();
    expect(checkOne(present, text, '')).toBeNull();
    expect(checkOne(present, text, 'x')).toBe('x');
  });

  test('an optional one may be absent or null, a required one neither', () => {
    for (const type of FIELD_TYPES) {
      for (const kind of [absent, nothing]) {
        expect(checkOne(field(type), kind, ''), type).toBeNull();
        expect(checkOne(field(type, { required: true }), kind, ''), type).toEqual(code('missing_field'));
      }
    }
  });
});

describe('a contract’s own limits', () => {
  test.each<[FieldType, Partial<ContractField>, string, ReturnType<typeof outcome>]>([
    ['id', { maxLength: 3 }, 'abc', 'abc'],
    ['id', { maxLength: 3 }, 'abcd', code('bad_id')],
    ['id', { minLength: 3 }, 'ab', code('bad_id')],
    ['id', { minLength: 3 }, 'äöü', 'äöü'],
    ['id', { minLength: 3 }, 'äö', code('bad_id')],
    ['id', { pattern: '^u-\\d+$' }, 'u-7', 'u-7'],
    ['id', { pattern: '^u-\\d+$' }, 'x-7', code('bad_id')],
    ['text', { maxLength: 2 }, '😀😀', '😀😀'],
    ['text', { maxLength: 2 }, 'abc', code('wrong_type')],
    ['text', { minLength: 2 }, 'a', code('wrong_type')],
    ['text', { pattern: '^.ß$' }, '😀ß', '😀ß'],
    ['text', { pattern: '^\\p{Lu}' }, 'a', code('wrong_type')],
    ['host', { pattern: '\\.example$' }, 'https://WWW.A.example/x', 'a.example'],
    ['host', { pattern: '\\.example$' }, 'a.test', code('wrong_type')],
    ['country', { pattern: '^(DE|AT)$' }, 'de', 'DE'],
    ['country', { pattern: '^(DE|AT)$' }, 'fr', code('wrong_type')],
    ['money', { minimum: 1_000_000 }, '1', 1_000_000],
    ['money', { minimum: 1_000_000 }, '0.999999', code('bad_number')],
    ['money', { maximum: 1_000_000 }, '1.0000004', 1_000_000],
    ['money', { maximum: 1_000_000 }, '1.000001', code('bad_number')],
    ['rate', { minimum: 1 }, '0', code('bad_number')],
    ['rate', { minimum: 1 }, '0.000000001', 1],
    ['integer', { minimum: -5, maximum: 5 }, '-5', -5],
    ['integer', { minimum: -5, maximum: 5 }, '-6', code('bad_number')],
    ['integer', { minimum: -5, maximum: 5 }, '6', code('bad_number')],
    ['timestamp', { minimum: NOON }, '2026-03-14T11:59:59.999999Z', code('timestamp_out_of_range')],
    ['timestamp', { maximum: NOON }, '2026-03-14T12:00:00Z', NOON],
    ['timestamp', { maximum: NOON }, '2026-03-14T12:00:00.000001Z', code('timestamp_out_of_range')],
    ['date', { minimum: 20_526 }, '2026-03-13', code('timestamp_out_of_range')],
    ['date', { maximum: 20_526 }, '2026-03-14', 20_526],
  ])('%s %o: %j', (type, limits, value, expected) => {
    expect(checkOne(field(type, limits), text, value)).toEqual(expected);
  });
});

describe('whole records', () => {
  const contract = contractOf(
    field('id', { name: 'user', pointer: '/user', required: true }),
    field('timestamp', { name: 'time', pointer: '/time', required: true }),
    field('host', { name: 'site', pointer: '/site' }),
    field('host', { name: 'referrer', pointer: '/referrer' }),
    field('currency', { name: 'currency', pointer: '/currency' }),
    field('country', { name: 'country', pointer: '/country' }),
    field('money', { name: 'price', pointer: '/price' }),
  );

  test('every broken rule is listed, in field order', () => {
    const check = compileContract(contract, RULES);
    const slots = slotsOf([text, '\u0001'], [text, 'soon'], [text, 'a b'], [absent, ''], [text, 'dollars'], [nothing, ''], [number, '-1']);
    expect(check.check(slots, RECEIVED_AT)).toBe(false);
    expect(check.result.violations.map((violation) => [violation.pointer, violation.code])).toEqual([
      ['/user', 'bad_id'],
      ['/time', 'bad_timestamp'],
      ['/site', 'bad_id'],
      ['/currency', 'bad_enum'],
      ['/price', 'bad_number'],
    ]);
  });

  test('a record leaves nothing behind for the next one', () => {
    const check = compileContract(contract, RULES);
    const bad = slotsOf([absent, ''], [text, 'soon'], [text, 'WWW.A.com'], [text, 'B.com'], [text, 'usd'], [text, 'de'], [text, 'x']);
    const good = slotsOf([text, 'u'], [text, '2026-03-14T12:00:00Z'], [absent, ''], [nothing, ''], [text, ''], [absent, ''], [absent, '']);
    expect(check.check(bad, RECEIVED_AT)).toBe(false);
    expect(check.check(good, RECEIVED_AT)).toBe(true);
    expect(check.result.violations).toEqual([]);
    expect([...check.result.present]).toEqual([1, 1, 0, 0, 0, 0, 0]);
  });

  test('rewritten values of one record stand side by side', () => {
    const check = compileContract(contract, RULES);
    const slots = slotsOf([text, 'u'], [number, '1773489600'], [text, 'WWW.A.com'], [text, 'HTTPS://B.com'], [text, 'usd'], [text, 'de'], [text, '1']);
    expect(check.check(slots, RECEIVED_AT)).toBe(true);
    expect(contract.fields.map((_, index) => outcome(check, index))).toEqual(['u', NOON, 'a.com', 'b.com', 'USD', 'DE', 1_000_000]);
  });

  test('the moment of receipt is each record’s own', () => {
    const check = compileContract(contractOf(field('timestamp')), RULES);
    const slots = slotsOf([text, '2026-03-14T12:10:00Z']);
    expect([RECEIVED_AT, RECEIVED_AT - 1, RECEIVED_AT + 1].map((receivedAt) => check.check(slots, receivedAt))).toEqual([true, false, true]);
  });

  test('timestamps without a zone are in the feed’s', () => {
    const inBerlin = { ...RULES, timeZone: 'Europe/Berlin' };
    expect(checkOne(field('timestamp'), text, '2026-03-14 13:00:00', inBerlin)).toBe(NOON);
    expect(checkOne(field('timestamp'), text, '2025-03-30T02:30:00', inBerlin)).toBe(Date.UTC(2025, 2, 30, 1, 30) * 1_000);
  });

  test('paths are the names a decoder looks for, the contract’s own first', () => {
    const check = compileContract(contractOf(field('id', { name: 'auction.user_id', aliases: ['user.id', 'uid'] })), RULES);
    expect(check.paths).toEqual([{ paths: [['auction', 'user_id'], ['user', 'id'], ['uid']] }]);
  });
});

describe('messages', () => {
  test.each<[Partial<ContractField> & { type: FieldType }, ValueKind, string, string]>([
    [{ type: 'id', required: true }, absent, '', 'value is required but is not there'],
    [{ type: 'id', required: true }, nothing, '', 'value is required but is empty'],
    [{ type: 'id', required: true }, text, ' n/a', 'value is required but is empty ("n/a" means absent)'],
    [{ type: 'id', mustBePresent: true }, absent, '', 'value must be there, though it may be empty: add the column or the key'],
    [{ type: 'money' }, nested, '{"a":1}', 'value must be an amount like 12.50, not an object or array'],
    [{ type: 'money' }, boolean, 'true', 'value must be an amount like 12.50, not a boolean ("true")'],
    [{ type: 'money' }, text, 'free', 'value must be an amount like 12.50, not "free"'],
    [{ type: 'money' }, text, '-1', 'value must not be negative: "-1"'],
    [{ type: 'money' }, text, '9e9', 'value is too large (at most 8,790,000 currency units): "9e9"'],
    [{ type: 'money', minimum: 500_000 }, text, '0.1', 'value must be at least 0.5: "0.1"'],
    [{ type: 'rate' }, text, '1.12345678901', 'value has more than nine digits after the point: "1.12345678901"'],
    [{ type: 'integer' }, text, '1.5', 'value must be a whole number, not "1.5"'],
    [{ type: 'enum' }, text, 'phone', 'value must be one of desktop, mobile, CTV, not "phone"'],
    [{ type: 'currency' }, text, '$', 'value must be a currency code of three letters, not "$"'],
    [{ type: 'id' }, text, 'a\u0007', 'value holds a control character: "a\\u{7}"'],
    [{ type: 'id' }, number, '1.5', 'value must be text or a whole number, not "1.5": send it as text'],
    [{ type: 'id', pattern: '^u' }, text, 'x', 'value does not match ^u: "x"'],
    [{ type: 'text', maxLength: 2 }, text, 'abc', 'value has more than 2 characters: "abc"'],
    [{ type: 'text', minLength: 2 }, text, 'a', 'value has fewer than 2 characters: "a"'],
    [{ type: 'host' }, text, 'a b', 'value holds no host name of 1 to 253 bytes without spaces: "a b"'],
    [
      { type: 'timestamp' },
      text,
      '1/2/26',
      'value must be an RFC 3339 time (2026-03-14T09:26:53Z) or epoch seconds, milliseconds or microseconds, not "1/2/26"',
    ],
    [{ type: 'timestamp' }, text, '5', 'value lies before 2000-01-01: "5"'],
    [{ type: 'timestamp' }, text, '2030-01-01T00:00:00Z', 'value lies more than ten minutes after the moment of receipt: "2030-01-01T00:00:00Z"'],
    [{ type: 'timestamp', minimum: NOON }, text, '2026-01-01T00:00:00Z', 'value must be at least 2026-03-14T12:00:00.000Z: "2026-01-01T00:00:00Z"'],
    [{ type: 'date' }, text, '14.3.26', 'value must be a date like 2026-03-14, not "14.3.26"'],
    [{ type: 'date', maximum: 20_526 }, text, '2026-03-15', 'value must be at most 2026-03-14: "2026-03-15"'],
    [{ type: 'boolean' }, text, 'yes', 'value must be true, false, 1 or 0, not "yes"'],
  ])('%o, kind %i, %j', (limits, kind, value, message) => {
    const check = compileContract(contractOf(field(limits.type, limits)), RULES);
    check.check(slotsOf([kind, value]), RECEIVED_AT);
    expect(check.result.violations.map((violation) => violation.message)).toEqual([message]);
  });
});

describe('whatever comes', () => {
  const contract = contractOf(
    ...FIELD_TYPES.map((type) => field(type, { name: type, pointer: `/${type}` })),
    ...TEXT_TYPES.filter((type) => type !== 'enum').map((type) =>
      field(type, { name: `${type}-limited`, pointer: `/${type}-limited`, minLength: 2, maxLength: 20, pattern: '^[^x]' }),
    ),
  );
  const alphabet = [...'0123456789.-+eEtTzZ:/ @wW\t"{[nulNUL,_%AaXx'].map((character) => character.charCodeAt(0));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.constantFrom(...alphabet), { maxLength: 40 }).map((all) => Uint8Array.from(all)),
    fc.string({ unit: 'binary', maxLength: 30 }).map((value) => new Uint8Array(Buffer.from(value))),
    fc
      .constantFrom('2026-03-14T12:00:00.123+01:00', '9007199254740993', '1e999999999999', 'https://www.example.com:80/x', '-0.0000001')
      .map((value) => new Uint8Array(Buffer.from(value))),
  );
  // Shorter and damaged forms of all of them, too.
  const value = fc.tuple(bytes, fc.nat(40), fc.nat(40), fc.nat(255)).map(([all, cut, at, byte]) => {
    const damaged = all.slice(0, cut);
    if (at < damaged.length) damaged[at] = byte;
    return at % 2 === 0 ? all : damaged;
  });

  test('never throws, and says a value or a reason for each field', () => {
    const check = compileContract(contract, { ...RULES, timeZone: 'America/St_Johns' });
    fc.assert(
      fc.property(value, fc.constantFrom(absent, nothing, text, number, boolean, nested, micros), (given, kind) => {
        check.check(slotsOf(...contract.fields.map(() => [kind, given] as const)), RECEIVED_AT);
        for (const { code: found, message } of check.result.violations) {
          const shown = /".*"/su.exec(message)?.[0] ?? '';
          if (!(found in QUARANTINE_CODES) || /undefined|NaN|\p{Cc}/u.test(message) || shown.length > 64) expect.fail(`${found}: ${message}`);
        }
        for (const [index, { name }] of contract.fields.entries()) {
          const fault = faultOfResult(check, index);
          if (fault) expect.fail(`${name}: ${fault}`);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  /** What is wrong with the value of a field, whatever it was made from. */
  function faultOfResult({ result }: ContractCheck, index: number): string | undefined {
    if (result.present[index] === 0) return undefined;
    const [start, end] = [result.starts[index] as number, result.ends[index] as number];
    if (TEXT_TYPES.includes(contract.fields[index]?.type as FieldType)) {
      return start <= end && end <= (result.buffers[index] as Uint8Array).length ? undefined : `${start} to ${end} lies outside its buffer`;
    }
    const value = result.numbers[index] as number;
    return Number.isInteger(value) && Math.abs(value) <= 2 ** 53 && !Object.is(value, -0) ? undefined : `${value} is no exact integer`;
  }

  test('what was normalised once is normal: checking it again gives the same value', () => {
    const check = compileContract(contract, RULES);
    const again = compileContract(contract, RULES);
    fc.assert(
      fc.property(value, (given) => {
        check.check(slotsOf(...contract.fields.map(() => [text, given] as const)), RECEIVED_AT);
        const first = contract.fields.map((_, index) => outcome(check, index));
        again.check(slotsOf(...contract.fields.map((_, index) => [text, String(typeof first[index] === 'string' ? first[index] : '')] as const)), RECEIVED_AT);
        for (const [index, { type }] of contract.fields.entries()) {
          // A website can hold another inside it (www.www.x), and bytes that are not UTF-8 do not come back as they were.
          if (type !== 'host' && typeof first[index] === 'string' && !first[index].includes('\ufffd')) expect(outcome(again, index)).toBe(first[index]);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
