import { describe, expect, it } from 'vitest';
import { decodeAll, optionsFor, type SeenRecord } from '../../../test/encodings/decode-all.ts';

const options = optionsFor('json');
const read = (input: string | Uint8Array, more = {}) => decodeAll(optionsFor('json', more), input);
const outcomes = (input: string | Uint8Array) => read(input).outcomes;
const user = (text: string): SeenRecord => ({ user: ['text', text] });

describe('values', () => {
  it('gives each kind of value with its text as written', () => {
    const record = '{"id":9007199254740993,"user":"a b","auction":{"user_id":null,"amount":-1.50e+3},"price":[1,{"x":2}],"won":false}';
    expect(outcomes(record)).toEqual([
      {
        id: ['number', '9007199254740993'],
        user: ['text', 'a b'],
        'auction.user_id': ['null', ''],
        'auction.amount': ['number', '-1.50e+3'],
        price: ['nested', ''],
        won: ['boolean', 'false'],
      },
    ]);
  });

  it('keeps an empty text apart from null and from absent', () => {
    expect(outcomes('{"user":"","id":null}')).toEqual([{ user: ['text', ''], id: ['null', ''] }]);
  });

  it.each([
    ['\\" \\\\ \\/ \\b\\f\\n\\r\\t', '" \\ / \b\f\n\r\t'],
    ['\\u0041\\u00e9\\u20AC', 'Aé€'],
    ['\\uD83D\\uDE00', '😀'],
    ['\\u0000', '\u0000'],
    ['żółć😀', 'żółć😀'],
    ['x'.repeat(5000), 'x'.repeat(5000)],
    [`${'\\n'.repeat(3000)}end`, `${'\n'.repeat(3000)}end`],
  ])('reads the string %j', (source, text) => {
    expect(outcomes(`{"user":"${source}"}`)).toEqual([user(text)]);
  });

  it('keeps every unescaped text of a record, though they outgrow the scratch space', () => {
    const long = '\\t'.repeat(1500);
    const record = `{"id":"${long}1","user":"${long}2","price":"${long}3"}`;
    const text = '\t'.repeat(1500);
    expect(outcomes(record)).toEqual([{ id: ['text', `${text}1`], user: ['text', `${text}2`], price: ['text', `${text}3`] }]);
  });

  it('finds a key that is written with escapes', () => {
    expect(outcomes('{"\\u0075ser":"a","auc\\u0074ion":{"amount":1}}')).toEqual([{ user: ['text', 'a'], 'auction.amount': ['number', '1'] }]);
  });

  it('finds keys in any order, with any of them left out', () => {
    const records = ['{"id":1,"user":"a","price":2}', '{"price":2,"id":1}', '{"user":"a","id":1}', '{"id":1,"user":"a","price":2}', '{"price":2}', '{}'];
    const names = (record: SeenRecord | string) => Object.keys(record).sort().join();
    expect(outcomes(records.join('\n')).map(names)).toEqual(['id,price,user', 'id,price', 'id,user', 'id,price,user', 'price', '']);
  });

  it('leaves fields absent where their object is none', () => {
    expect(outcomes('{"auction":null}{"auction":"x"}{"auction":[{"amount":1}]}{"auction":{}}')).toEqual([{}, {}, {}, {}]);
  });

  it('takes a field under its aliases', () => {
    const fields = [{ paths: [['user'], ['uid'], ['person', 'id']] }];
    const aliases = (input: string) => decodeAll({ ...options, fields }, input).outcomes;
    expect(aliases('{"uid":"a"}\n{"person":{"id":"a"}}\n{"user":"a"}')).toEqual([user('a'), user('a'), user('a')]);
    expect(aliases('{"uid":"a","user":"a"}\n{"user":null,"person":{"id":"a"}}')).toEqual(['malformed', 'malformed']);
  });

  it('takes a key that is a field in one contract path and an object in another', () => {
    const fields = [{ paths: [['user']] }, { paths: [['user', 'id']] }];
    expect(decodeAll({ ...options, fields }, '{"user":{"id":"a"}}{"user":"b"}').outcomes).toEqual([
      { user: ['nested', ''], 'user.id': ['text', 'a'] },
      { user: ['text', 'b'] },
    ]);
  });
});

describe('grammar', () => {
  const whole = '{"user":"next"}';

  it.each([
    '{',
    '{"id"}',
    '{"id":}',
    '{"id":1,}',
    '{,}',
    '{"id":1 "user":2}',
    "{'id':1}",
    '{id:1}',
    '{"id":01}',
    '{"id":+1}',
    '{"id":1.}',
    '{"id":.5}',
    '{"id":1e}',
    '{"id":-}',
    '{"id":0x1}',
    '{"id":NaN}',
    '{"id":True}',
    '{"id":nul}',
    '{"id":"\t"}',
    '{"id":"\\x"}',
    '{"id":"\\u12g4"}',
    '{"id":"a}',
    '{"other":[1,]}',
    '{"other":[1 2]}',
    '{"other":{"a":1,}}',
    '{"other":{"a"}}',
    '{"other":[}',
    '{"other":{]}',
    '{"id":1}}',
    '{"id":1},',
    '{"id":1} x',
    '{"id":1}\u00a0',
    '1',
    '"text"',
    'null',
    '[{"id":1}]',
    'not json',
    '\u0000',
    '}',
  ])('calls %j malformed, and goes on behind its line', (line) => {
    const seen = read(`${whole}\n${line}\n${whole}\n`);
    expect(seen.outcomes).toEqual([user('next'), 'malformed', user('next')]);
    expect(seen.malformed[0]).toMatchObject({ code: 'malformed', raw: line, recordNumber: 1 });
    expect(seen.malformed[0]?.message).toMatch(/at byte 16 \(line 2\)/);
    expect(seen.complete).toBe(true);
  });

  it.each(['{"id":1,"user":2,"id":1}', '{"auction":{"amount":1,"amount":1}}', '{"auction":{"amount":1},"auction":{"user_id":1}}', '{"auction":1,"auction":2}'])(
    'calls a contract key that comes twice malformed: %s',
    (record) => {
      expect(outcomes(`${record}${whole}`)).toEqual(['malformed', user('next')]);
    },
  );

  it('does not mind an unknown key that comes twice', () => {
    expect(outcomes('{"x":1,"x":2,"user":"next"}')).toEqual([user('next')]);
  });

  it.each(['\\ud83d', '\\ude00', '\\ud83d\\u0041', '\\ud83dA', '\\ude00\\ud83d'])('calls half of a surrogate pair malformed: %s', (half) => {
    expect(outcomes(`{"user":"${half}"}\n${whole}`)).toEqual(['malformed', user('next')]);
  });

  it.each([[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80]])(
    'calls bytes that are no UTF-8 malformed, wherever they stand: %j',
    (...bytes) => {
      const bad = Buffer.from(bytes);
      for (const [before, behind] of [
        ['{"user":"', '"}'],
        ['{"other":"', '"}'],
        ['{"', '":1}'],
        ['{"other":[{"a":"', '"}]}'],
      ] as const) {
        const input = Buffer.concat([Buffer.from(`${whole}\n${before}`), bad, Buffer.from(`${behind}\n${whole}`)]);
        expect(outcomes(input)).toEqual([user('next'), 'malformed', user('next')]);
      }
    },
  );

  it('allows 64 levels, and calls more malformed without losing its place', () => {
    const nested = (levels: number) => `{"other":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(outcomes(`${nested(64)}${nested(65)}${nested(500_000)}${whole}`)).toEqual([{}, 'malformed', 'malformed', user('next')]);
    const below = (levels: number) => `{"auction":{"amount":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`;
    expect(outcomes(`${below(64)}${below(65)}`)).toEqual([{ 'auction.amount': ['nested', ''] }, 'malformed']);
  });
});

describe('layouts', () => {
  const two = [user('a'), user('b')];

  it.each([
    ['lines', '{"user":"a"}\n{"user":"b"}\n'],
    ['lines without a last line break', '{"user":"a"}\n{"user":"b"}'],
    ['lines with carriage returns', '{"user":"a"}\r\n{"user":"b"}\r\n'],
    ['blank lines between', '\n\n{"user":"a"}\n \t\r\n\n{"user":"b"}\n\n'],
    ['nothing between', '{"user":"a"}{"user":"b"}'],
    ['laid out', '{\n  "user": "a"\n}\n{\n  "user": "b"\n}\n'],
    ['laid out and lines', '{ "user"\n:\n"a"}{"user":"b"}'],
    ['an array', '[{"user":"a"},{"user":"b"}]'],
    ['an array, laid out', '\n [\n  {\n "user": "a"\n} ,\n  {"user":"b"}\n]\n'],
    ['arrays', '[{"user":"a"}]\n[]\n[{"user":"b"}]'],
    ['a byte order mark', '\ufeff{"user":"a"}\n{"user":"b"}'],
  ])('reads %s', (_, input) => {
    const seen = read(input);
    expect(seen).toMatchObject({ outcomes: two, complete: true });
    // However it is cut into chunks.
    for (let at = 0; at <= Buffer.from(input).length; at++) expect(decodeAll(options, input, [at])).toEqual(seen);
  });

  it.each(['', '\n', ' \r\n\t', '[]', '[ ]\n', '\ufeff'])('finds nothing in %j', (input) => {
    expect(read(input)).toMatchObject({ outcomes: [], complete: true });
  });

  it('keeps each record whole for quarantine', () => {
    const raws = (input: string) => read(input).raws.map((raw) => Buffer.from(raw).toString());
    expect(raws('{"user":"a"} \n{"x":[1]}{\n"id":1 }')).toEqual(['{"user":"a"}', '{"x":[1]}', '{\n"id":1 }']);
    expect(raws('[{"user":"a"} , {"id":1}]')).toEqual(['{"user":"a"}', '{"id":1}']);
  });

  it('calls values of an array that are no objects malformed, and goes on', () => {
    const seen = read('[1,"a",null,[{}],{"user":"a"},-0.5e1,true]');
    expect(seen.outcomes).toEqual(['malformed', 'malformed', 'malformed', 'malformed', user('a'), 'malformed', 'malformed']);
    expect(seen.malformed.map(({ raw }) => raw)).toEqual(['1', '"a"', 'null', '[{}]', '-0.5e1', 'true']);
    expect(seen.complete).toBe(true);
  });
});

describe('a cut line', () => {
  const next = '{"user":"next"}';

  it.each(['{"id":1,', '{"id":', '{"id"', '{"id":1', '{"id":"a', '{"auction":{"amount":1', '{"other":[1,2', '{', '{"i'])('%j costs no other line', (cut) => {
    const seen = read(`${next}\n${cut}\n${next}\n${next}\n`);
    expect(seen.outcomes).toEqual([user('next'), 'malformed', user('next'), user('next')]);
    expect(seen.malformed[0]?.raw).toBe(cut);
    expect(seen.complete).toBe(true);
  });

  it('is one malformed record at the end, and the file is incomplete', () => {
    const seen = read(`${next}\n{"user":"a","id`);
    expect(seen).toMatchObject({ outcomes: [user('next'), 'malformed'], complete: false });
    expect(seen.malformed[0]).toMatchObject({ raw: '{"user":"a","id' });
  });

  it('is lost up to the next object where it is laid out over several lines', () => {
    const laidOut = '{\n  "id": 1,\n  "auction": {\n    "amount": x\n  }\n}\n';
    const seen = read(`${laidOut}{\n  "user": "next"\n}\n`);
    expect(seen.outcomes).toEqual(['malformed', user('next')]);
    expect(seen.malformed[0]?.raw).toBe(laidOut.trimEnd());
    expect(read(laidOut)).toMatchObject({ outcomes: ['malformed'], complete: true });
    expect(read(laidOut.slice(0, 30))).toMatchObject({ outcomes: ['malformed'], complete: false });
  });
});

describe('a broken array', () => {
  it.each([
    ['[{"user":"a"},{"user":"b"}', 2],
    ['[{"user":"a"},{"user":"b"},', 2],
    ['[{"user":"a"},{"user":"b"', 1],
    ['[{"user":"a"} {"user":"b"}]', 1],
    ['[{"user":"a"},]', 1],
    ['[{"user":"a"},x,{"user":"b"}]', 1],
    ['[{"user":"a"}] x {"user":"b"}', 1],
    ['[{"user":"a"}]{"user":"b"}', 1],
    ['[', 0],
  ])('%j gives what stands before the damage, and says so once', (input, records) => {
    const seen = read(input);
    expect(seen.outcomes).toEqual([user('a'), user('b'), user('c')].slice(0, records).concat('malformed' as never));
    expect(seen.complete).toBe(false);
    expect(seen.malformed[0]?.message).toMatch(/array is broken/);
  });
});

describe('a record that is too large', () => {
  const small = { maxRecordBytes: 40 };
  const large = `{"user":"a","other":"${'x'.repeat(60)}"}`;
  const exact = `{"user":"${'e'.repeat(29)}"}`;

  it.each([
    ['in lines', `${exact}\n${large}\n{"user":"b"}\n`],
    ['with nothing between', `${exact}${large}{"user":"b"}`],
    ['laid out', `${exact}\n{\n"user":\n"a",\n"other": ["${'x'.repeat(60)}\\"}",{}]\n}\n{"user":"b"}`],
    ['in an array', `[${exact},${large},{"user":"b"}]`],
    ['as a text in an array', `[${exact},"${'x'.repeat(60)}\\",",{"user":"b"}]`],
    ['as digits in an array', `[${exact},${'1'.repeat(60)} ,{"user":"b"}]`],
  ])('is skipped %s', (_, input) => {
    const seen = read(input, small);
    expect(seen.outcomes).toEqual([user('e'.repeat(29)), 'too_large', user('b')]);
    expect(seen.malformed[0]?.rawBytes.length).toBe(40);
    expect(seen.complete).toBe(true);
    for (let at = 0; at < input.length; at++) expect(decodeAll(optionsFor('json', small), input, [at])).toEqual(seen);
  });

  it('that breaks off costs no line behind it', () => {
    expect(read(`{"user":"${'x'.repeat(60)}\n{"user":"b"}\n`, small).outcomes).toEqual(['too_large', user('b')]);
    expect(read(`{"user":[${'1,'.repeat(60)}2\n{"user":"b"}\n`, small).outcomes).toEqual(['too_large', user('b')]);
    expect(read(`[{"user":"${'x'.repeat(60)}\n"},{"user":"b"}]`, small)).toMatchObject({ outcomes: ['too_large', 'malformed'], complete: false });
  });

  it('that does not end leaves the file incomplete', () => {
    expect(read(`{"user":"${'x'.repeat(60)}`, small)).toMatchObject({ outcomes: ['too_large'], complete: false });
    expect(read(`[{"user":"${'x'.repeat(60)}`, small)).toMatchObject({ outcomes: ['too_large'], complete: false });
  });

  it('is malformed, and cut, where it is a long line of something else', () => {
    const seen = read(`${'garbage '.repeat(20)}\n{"user":"b"}`, small);
    expect(seen.outcomes).toEqual(['malformed', user('b')]);
    expect(seen.malformed[0]?.raw).toBe('garbage '.repeat(5));
  });
});

describe('unknown fields', () => {
  it('are counted by name, once a record, below objects of the contract too', () => {
    const seen = read('{"x":1,"user":"a","auction":{"y":{"id":1},"amount":1}}\n{"x":{"z":1},"x":2}\n{"auction":{"y":1}}\n{"\\u0078":1}');
    expect(seen.unknownFields).toEqual({ x: 3, 'auction.y': 2 });
  });

  it('of malformed records are not counted', () => {
    expect(read('{"x":1,"y":x}\n{"z":1,"user":1,"user":2}\n{"x":1}').unknownFields).toEqual({ x: 1 });
  });

  it('are counted the same however the input is cut', () => {
    const input = '{"x":1,"user":"a"}\n{"x":1,"y":2}\n'.repeat(5);
    expect(
      decodeAll(
        options,
        input,
        [...input].map((_, i) => i),
      ).unknownFields,
    ).toEqual({ x: 10, y: 5 });
  });

  it('are bounded in number and length', () => {
    const many = Array.from({ length: 3000 }, (_, i) => `{"name${i}":1}`).join('\n');
    expect(Object.keys(read(many).unknownFields).length).toBe(1000);
    const long = `${'é'.repeat(200)}`;
    expect(read(`{"${long}":1}\n{"${long}2":1}`).unknownFields).toEqual({ ['é'.repeat(128)]: 2 });
  });

  it('whose names must be escaped are not taken for others', () => {
    expect(read('{"a\\"b":1}\n{"a\\"b":1}\n{"a":1}').unknownFields).toEqual({ 'a"b': 2, a: 1 });
    expect(outcomes('{"a\\"b":1}\n{"a"b":1}\n')).toEqual([{}, 'malformed']);
  });
});

describe('damage', () => {
  const damaged = (input: string) => decodeAll(options, input, [], 'cut at byte 99');

  it('keeps what is whole, and reports what is open as the damage', () => {
    expect(damaged('{"user":"a"}\n{"user":"b"}')).toMatchObject({ outcomes: [user('a'), user('b'), 'malformed'], complete: false });
    const open = damaged('{"user":"a"}\n{"user":"b');
    expect(open).toMatchObject({ outcomes: [user('a'), 'malformed'], complete: false });
    expect(open.malformed[0]).toMatchObject({ message: 'cut at byte 99', raw: '{"user":"b' });
    expect(damaged('[{"user":"a"},')).toMatchObject({ outcomes: [user('a'), 'malformed'], complete: false });
    expect(damaged('[{"user":"a"}]')).toMatchObject({ outcomes: [user('a'), 'malformed'], complete: false });
    expect(damaged('{"user":"a"}\nnot jso')).toMatchObject({ outcomes: [user('a'), 'malformed'], complete: false });
    expect(damaged('')).toMatchObject({ outcomes: ['malformed'], complete: false });
  });

  it('is not reported twice', () => {
    expect(damaged('[{"user":"a"} x')).toMatchObject({ outcomes: [user('a'), 'malformed'], complete: false });
  });
});
