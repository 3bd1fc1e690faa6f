import { describe, expect, it } from 'vitest';
import { decodeAll, optionsFor, type SeenRecord } from '../../../test/encodings/decode-all.ts';

const read = (input: string | Uint8Array, more = {}) => decodeAll(optionsFor('csv', more), input);
const outcomes = (input: string | Uint8Array, more = {}) => read(input, more).outcomes;
const record = (id: string, user: string): SeenRecord => ({ id: ['text', id], user: ['text', user] });

describe('rows', () => {
  it.each([
    ['plain cells', 'id,user\n1,a\n2,b\n'],
    ['no last line break', 'id,user\n1,a\n2,b'],
    ['carriage returns', 'id,user\r\n1,a\r\n2,b\r\n'],
    ['a cut carriage return', 'id,user\r\n1,a\r\n2,b\r'],
    ['quoted cells', '"id","user"\n"1","a"\n2,"b"'],
    ['quoted cells and carriage returns', '"id","user"\r\n"1","a"\r\n2,"b"\r\n'],
    ['a byte order mark', '\ufeffid,user\n1,a\n2,b\n'],
    ['a byte order mark before a quote', '\ufeff"id",user\n1,a\n2,b\n'],
    ['spaces around names', ' id ,\tuser\n1,a\n2,b\n'],
    ['blank lines', '\n\r\nid,user\n\n1,a\n\r\n2,b\n\n\n'],
    ['columns nobody asked for', 'x,id,,user,x\n,1,"",a,\n"q,\n",2,5,b,""\n'],
  ])('are read with %s', (_, input) => {
    const seen = read(input);
    expect(seen).toMatchObject({ outcomes: [record('1', 'a'), record('2', 'b')], complete: true });
    for (let at = 0; at <= Buffer.from(input).length; at++) expect(decodeAll(optionsFor('csv'), input, [at])).toEqual(seen);
  });

  it.each([
    ['""', ''],
    ['" a "', ' a '],
    ['"a,b"', 'a,b'],
    ['"a""b"', 'a"b'],
    ['""""', '"'],
    ['"""a"""', '"a"'],
    ['"a\nb"', 'a\nb'],
    ['"a\r\nb"', 'a\r\nb'],
    ['', ''],
    [' a ', ' a '],
    ['a\rb', 'a\rb'],
    ['\r', '\r'],
    ['żółć', 'żółć'],
    ['\\"'.slice(0, 1), '\\'],
    [`"${'""'.repeat(2000)}"`, '"'.repeat(2000)],
    ['x'.repeat(5000), 'x'.repeat(5000)],
  ])('read the cell %j as %j', (cell, text) => {
    expect(outcomes(`user,id\n${cell},1\n`)).toEqual([{ user: ['text', text], id: ['text', '1'] }]);
  });

  it('name nested fields with dots, and aliases as they are', () => {
    const fields = [{ paths: [['auction', 'amount'], ['bid']] }];
    expect(outcomes('auction.amount\n1\n', { fields })).toEqual([{ 'auction.amount': ['text', '1'] }]);
    expect(outcomes('bid\n1\n', { fields })).toEqual([{ 'auction.amount': ['text', '1'] }]);
    expect(outcomes('Bid\n1\n', { fields })).toEqual([{}]);
  });

  it.each([';', '\t', '|', ' '])('are cut at the declared delimiter %j', (delimiter) => {
    const input = ['id', 'user'].join(delimiter) + ['\n1', '"a,b"'].join(delimiter) + ['\n2', 'c,d'].join(delimiter);
    expect(outcomes(input, { delimiter })).toEqual([record('1', 'a,b'), record('2', 'c,d')]);
  });

  it.each(['', ',,', '"', '\n', '\r', 'é'])('cannot be cut at %j', (delimiter) => {
    expect(() => read('id\n', { delimiter })).toThrow(/delimiter/);
  });

  it('that are empty cells of one column are blank lines, unless they are quoted', () => {
    expect(outcomes('id\n\na\n""\n')).toEqual([{ id: ['text', 'a'] }, { id: ['text', ''] }]);
  });

  it('keep every doubled quote of a record, though they outgrow the scratch space', () => {
    const cell = `"${'""'.repeat(900)}"`;
    expect(outcomes(`id,user\n${cell},${cell}\n`)).toEqual([record('"'.repeat(900), '"'.repeat(900))]);
  });
});

describe('a file', () => {
  it.each(['', '\n', '\r\n', '\ufeff', 'id,user', 'id,user\n', '\ufeffid\r\n\r\n'])('%j has no records, and is whole', (input) => {
    expect(read(input)).toMatchObject({ outcomes: [], complete: true });
  });

  it.each([
    ['repeats a column', 'id,user,id\n1,a,2\n'],
    ['repeats a column with spaces', 'id,user, id\n1,a,2\n'],
    ['does not close its quote', 'id,"user\n1,a\n'],
    ['has a stray quote', 'id,us"er\n1,a\n'],
    ['has something behind a quote', '"id"x,user\n1,a\n'],
  ])('whose header %s is malformed as a whole', (_, input) => {
    expect(read(input)).toMatchObject({ outcomes: ['malformed'], complete: false });
  });

  it('whose header is not UTF-8, too large, or has too many columns is malformed as a whole', () => {
    expect(read(Buffer.from([0x69, 0x64, 0x2c, 0xff, 0x0a, 0x31, 0x2c, 0x32, 0x0a]))).toMatchObject({ outcomes: ['malformed'], complete: false });
    expect(read(`id,${'x'.repeat(50)}\n1,2\n`, { maxRecordBytes: 50 })).toMatchObject({ outcomes: ['malformed'], complete: false });
    expect(read(`${'x,'.repeat(4096)}id\n`)).toMatchObject({ outcomes: ['malformed'], complete: false });
    expect(read(`${'x,'.repeat(4095)}id\n${','.repeat(4095)}1\n`)).toMatchObject({ outcomes: [{ id: ['text', '1'] }], complete: true });
  });

  it('whose header has two columns for one field is malformed as a whole', () => {
    const fields = [{ paths: [['user'], ['uid']] }];
    expect(read('user,uid\n1,2\n3,4\n', { fields })).toMatchObject({ outcomes: ['malformed'], complete: false });
  });

  it('counts rows that held unknown columns', () => {
    expect(read('x,id,auction.y\n1,2,3\n4,5,6\n7\n').unknownFields).toEqual({ x: 2, 'auction.y': 2 });
    expect(read('x,id\n').unknownFields).toEqual({});
    expect(Object.keys(read(`id,${Array.from({ length: 2000 }, (_, i) => `c${i}`)}\n1${','.repeat(2000)}\n`).unknownFields)).toHaveLength(1000);
  });
});

describe('a row that does not decode', () => {
  it.each([
    ['has too few cells', '1'],
    ['has too many cells', '1,a,'],
    ['has a stray quote', '1,a"b'],
    ['has a stray opening quote that closes', '"1,a" b,c'],
    ['has something behind a quoted cell', '1,"a"b'],
    ['has spaces before a quote', '1, "a"'],
    ['has a lone carriage return behind a quoted cell', '1,"a"\rb'],
    ['is a long one', `1,a"${'x'.repeat(100_000)}`],
  ])('because it %s costs no other row', (_, row) => {
    const seen = read(`id,user\n1,a\n${row}\n2,b\n`);
    expect(seen).toMatchObject({ outcomes: [record('1', 'a'), 'malformed', record('2', 'b')], complete: true });
    expect(seen.malformed[0]).toMatchObject({ code: 'malformed', raw: `id,user\n${row}` });
    expect(seen.malformed[0]?.message).toMatch(/at byte 12 \(line 3\)/);
  });

  it('because it is not UTF-8 costs no other row', () => {
    const input = Buffer.concat([
      Buffer.from('id,user,x\n1,a,'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('\n2,b,\n1,'),
      Buffer.from([0xff]),
      Buffer.from(',\n2,b,é'),
    ]);
    expect(outcomes(input)).toEqual(['malformed', record('2', 'b'), 'malformed', record('2', 'b')]);
  });

  it('because of a quote that closes lines further down costs its own line only', () => {
    expect(outcomes('id,user\n1,"a\n2,b\n3,c"d\n4,e\n')).toEqual(['malformed', record('2', 'b'), 'malformed', record('4', 'e')]);
  });

  it('keeps its header, so that it can be decoded alone', () => {
    const seen = read(' id ,user\r\n"1\n2","a"\r\n1\r\n');
    expect(seen.raws.map((raw) => Buffer.from(raw).toString())).toEqual([' id ,user\n"1\n2","a"']);
    expect(seen.malformed[0]?.raw).toBe(' id ,user\n1');
    expect(read(seen.raws[0] as Uint8Array).records).toEqual(seen.records);
  });

  it('keeps a carriage return that is data', () => {
    const [raw] = read('id,user\r\n1,a\r\r\n').raws;
    expect(read(raw as Uint8Array).records).toEqual([record('1', 'a\r')]);
  });

  it('keeps a second byte order mark as part of its header', () => {
    const [raw] = read('\ufeff\ufeffid,user\n1,a\n').raws;
    expect(read(raw as Uint8Array).records).toEqual([{ user: ['text', 'a'] }]);
  });

  it('is told with its line, line breaks in cells counted', () => {
    expect(read('id,user\n"1\n\n",a\n\n2\n').malformed[0]?.message).toMatch(/\(line 6\)/);
  });
});

describe('a file that ends early', () => {
  it.each([
    ['in a quoted cell', 'id,user\n1,a\n2,"b\n3,c\n4,d\n'],
    ['in an empty quoted cell', 'id,user\n1,a\n2,"'],
    ['behind a doubled quote', 'id,user\n1,a\n2,"b""'],
    ['before the last cell', 'id,user\n1,a\n2'],
  ])('%s gives the rows before, one malformed record, and is incomplete', (_, input) => {
    expect(read(input)).toMatchObject({ outcomes: [record('1', 'a'), 'malformed'], complete: false });
  });

  it('by damage does not take its last row for whole', () => {
    const damaged = (input: string) => decodeAll(optionsFor('csv'), input, [], 'cut at byte 99');
    const seen = damaged('id,user\n1,a\n2,b');
    expect(seen).toMatchObject({ outcomes: [record('1', 'a'), 'malformed'], complete: false });
    expect(seen.malformed[0]).toMatchObject({ message: 'cut at byte 99', raw: 'id,user\n2,b' });
    expect(damaged('id,user\n1,a\n2,b\n')).toMatchObject({ outcomes: [record('1', 'a'), record('2', 'b'), 'malformed'], complete: false });
    expect(damaged('id,user\n1,a\n2,"b')).toMatchObject({ outcomes: [record('1', 'a'), 'malformed'], complete: false });
    expect(damaged('id,user\n1,a\n2,b"c')).toMatchObject({ outcomes: [record('1', 'a'), 'malformed'], complete: false });
    expect(damaged('id,us')).toMatchObject({ outcomes: ['malformed'], complete: false });
    expect(damaged('')).toMatchObject({ outcomes: ['malformed'], complete: false });
  });
});

describe('a row that is too large', () => {
  const small = { maxRecordBytes: 30 };
  const exact = `1,${'e'.repeat(28)}`;

  it.each([
    ['plain', `2,${'x'.repeat(50)}`],
    ['by one byte', `2,${'x'.repeat(29)}`],
    ['quoted', `2,"${'x\n""'.repeat(20)}"`],
  ])('(%s) is skipped', (_, large) => {
    for (const lineBreak of ['\n', '\r\n']) {
      const input = ['id,user', exact, large, '3,c', ''].join(lineBreak);
      const seen = read(input, small);
      expect(seen).toMatchObject({ outcomes: [record('1', 'e'.repeat(28)), 'too_large', record('3', 'c')], complete: true });
      for (let at = 0; at < input.length; at++) expect(decodeAll(optionsFor('csv', small), input, [at])).toEqual(seen);
    }
  });

  it('that does not close its quote leaves the file incomplete', () => {
    expect(read(`id,user\n1,"${'x\n'.repeat(50)}`, small)).toMatchObject({ outcomes: ['too_large'], complete: false });
  });
});
