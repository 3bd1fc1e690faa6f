import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdvertiseXError } from '../domain/errors.ts';
import { MAX_SEGMENT_ROWS, type StagedType } from './column-builder.ts';
import { SegmentWriter, type StagedColumn } from './segment-writer.ts';

const TYPES: readonly StagedType[] = ['utf8', 'bytes', 'int64', 'timestamp', 'date', 'boolean', 'key', 'hash'];
const COLUMNS: readonly StagedColumn[] = [
  ...TYPES.map((type) => ({ name: `required_${type}`, type })),
  ...TYPES.map((type) => ({ name: `optional_${type}`, type, nullable: true })),
  { name: 'source', type: 'utf8', inRuns: true },
  { name: 'received_at', type: 'timestamp', inRuns: true },
];

/** Text for utf8, bytes as text for bytes, hex digits for a key and a hash, a number for the others. */
type Value = string | number | boolean | null;
type Row = Readonly<Record<string, Value>>;

let folder: string;
let duckdb: Awaited<ReturnType<DuckDBInstance['connect']>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-staging-'));
  duckdb = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(() => {
  duckdb.closeSync();
  rmSync(folder, { recursive: true });
});

function append(writer: SegmentWriter, columns: readonly StagedColumn[], row: Row): void {
  for (const { name, type, inRuns } of columns) {
    const value = row[name] as Value;
    if (inRuns) continue;
    const column = writer.column(name);
    if (value === null) column.appendNull();
    else if (type === 'key') {
      const [h1, h2, h3, h4] = wordsOf(value as string);
      column.appendKey(h1, h2, h3, h4);
    } else if (type === 'hash') {
      const [high, low] = wordsOf(value as string);
      column.appendHash(high, low);
    } else if (typeof value === 'boolean') column.appendBoolean(value);
    else if (typeof value === 'number') column.appendNumber(value);
    else {
      // From the middle of a larger buffer, as decoders hand values over.
      const bytes = Buffer.from(`.${value}.`);
      column.appendText(bytes, 1, bytes.length - 1);
    }
  }
}

function wordsOf(hex: string): [number, number, number, number] {
  const word = (at: number): number => Number.parseInt(hex.slice(at, at + 8), 16);
  return [word(0), word(8), word(16), word(24)];
}

function appendAll(writer: SegmentWriter, rows: readonly Row[]): void {
  let last: Row | undefined;
  for (const row of rows) {
    if (row['source'] !== last?.['source']) writer.startTextRun('source', row['source'] as string);
    if (row['received_at'] !== last?.['received_at']) writer.startNumberRun('received_at', row['received_at'] as number);
    append(writer, COLUMNS, row);
    last = row;
  }
}

/** What DuckDB reads, in the terms of `Row`. */
async function readByDuckDB(path: string, columns: readonly StagedColumn[]): Promise<Row[]> {
  const wanted = columns.map(({ name, type }) => {
    if (type === 'timestamp') return `epoch_us(${name}) AS ${name}`;
    if (type === 'date') return `${name} - DATE '1970-01-01' AS ${name}`;
    if (type === 'key') return `replace(${name}::VARCHAR, '-', '') AS ${name}`;
    if (type === 'hash') return `printf('%016x', ${name}) AS ${name}`;
    if (type === 'bytes') return `decode(${name}) AS ${name}`;
    return name;
  });
  const result = await duckdb.runAndReadAll(`SELECT ${wanted.join(', ')} FROM read_parquet('${path}')`);
  return result
    .getRowObjectsJS()
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]))) as Row[];
}

const day = 86_400;
const textOf = fc.string({ unit: 'grapheme', maxLength: 90 });
const VALUES: Readonly<Record<StagedType, fc.Arbitrary<Exclude<Value, null>>>> = {
  utf8: textOf,
  bytes: textOf,
  int64: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1)),
  timestamp: fc.integer({ min: -(10 ** 15), max: 4 * 10 ** 15 }),
  date: fc.integer({ min: -100_000, max: 100_000 }),
  boolean: fc.boolean(),
  key: fc.stringMatching(/^[0-9a-f]{32}$/),
  hash: fc.stringMatching(/^[0-9a-f]{16}$/),
};
const rowOf: fc.Arbitrary<Row> = fc.record(
  Object.fromEntries(
    COLUMNS.map(({ name, type, nullable, inRuns }) => {
      if (inRuns) return [name, type === 'utf8' ? fc.constantFrom('a.json', '', 'ü.csv.gz') : fc.constantFrom(0, 1_700_000_000_000_000)];
      return [name, nullable ? fc.option(VALUES[type] as fc.Arbitrary<Value>, { freq: 2 }) : (VALUES[type] as fc.Arbitrary<Value>)];
    }),
  ),
);

describe('SegmentWriter', () => {
  it('has DuckDB read the types of the tables', async () => {
    const path = join(folder, 'types.parquet');
    const writer = new SegmentWriter(COLUMNS);
    writer.writeTo(path);
    const described = await duckdb.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet('${path}')`);
    const types = Object.fromEntries(described.getRowObjectsJS().map((row) => [row['column_name'], row['column_type']]));
    const expected = { utf8: 'VARCHAR', bytes: 'BLOB', int64: 'BIGINT', timestamp: 'TIMESTAMP', date: 'DATE', boolean: 'BOOLEAN', key: 'UUID', hash: 'BIGINT' };
    expect(types).toEqual(Object.fromEntries(COLUMNS.map(({ name, type }) => [name, expected[type]])));
  });

  it('gives back every row through DuckDB, with one writer used again and again', async () => {
    const writer = new SegmentWriter(COLUMNS);
    // A name for each: DuckDB keeps what it read of a path, and takes a file rewritten within a clock tick for the old one.
    let files = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(rowOf, { maxLength: 40 }), async (rows) => {
        const path = join(folder, `rows-${files++}.parquet`);
        writer.reset();
        appendAll(writer, rows);
        expect(writer.rows).toBe(rows.length);
        expect(writer.writeTo(path).rows).toBe(rows.length);
        expect(await readByDuckDB(path, COLUMNS)).toEqual(rows);
      }),
      { numRuns: 150 },
    );
  });

  it('is read alike by another reader', async () => {
    const path = join(folder, 'other.parquet');
    await fc.assert(
      fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 20 }), async (rows) => {
        const writer = new SegmentWriter(COLUMNS);
        appendAll(writer, rows);
        writer.writeTo(path);
        const read = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
        const plain = read.map((row) =>
          Object.fromEntries(
            COLUMNS.map(({ name, type }) => {
              const value = row[name];
              if (value === null || value === undefined) return [name, null];
              if (type === 'timestamp') return [name, (value as Date).getTime()];
              if (type === 'date') return [name, (value as Date).getTime() / 1000 / day];
              if (type === 'key') return [name, (value as string).replaceAll('-', '')];
              if (type === 'hash')
                return [
                  name,
                  BigInt.asUintN(64, value as bigint)
                    .toString(16)
                    .padStart(16, '0'),
                ];
              if (type === 'bytes') return [name, typeof value === 'string' ? value : Buffer.from(value as Uint8Array).toString()];
              return [name, typeof value === 'bigint' ? Number(value) : value];
            }),
          ),
        );
        // This reader's times are Date objects: whole milliseconds.
        const expected = rows.map((row) =>
          Object.fromEntries(
            COLUMNS.map(({ name, type }) => [
              name,
              type === 'timestamp' && row[name] !== null ? new Date(Number(BigInt(row[name] as number) / 1000n)).getTime() : row[name],
            ]),
          ),
        );
        expect(plain).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('holds as many rows as a row group of DuckDB has, nulls among them, and says when it is full', async () => {
    const columns: StagedColumn[] = [
      { name: 'n', type: 'int64', nullable: true },
      { name: 't', type: 'utf8', nullable: true },
      { name: 'nothing', type: 'utf8', nullable: true },
      { name: 'flag', type: 'boolean', nullable: true },
      { name: 'source', type: 'utf8', inRuns: true },
    ];
    const writer = new SegmentWriter(columns);
    const text = Buffer.from('user-00000000');
    for (let i = 0; !writer.isFull; i++) {
      if (i % 300 === 0) writer.startTextRun('source', `file-${i / 300}`);
      if (i % 7 === 0) writer.column('n').appendNull();
      else writer.column('n').appendNumber(i * 1e10);
      if (i % 5 === 0) writer.column('t').appendNull();
      else writer.column('t').appendText(text, 0, i % 14);
      writer.column('nothing').appendNull();
      if (i % 3 === 0) writer.column('flag').appendNull();
      else writer.column('flag').appendBoolean(i % 2 === 0);
    }
    expect(writer.rows).toBe(MAX_SEGMENT_ROWS);
    const path = join(folder, 'full.parquet');
    writer.writeTo(path);
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
    expect(metadata.row_groups.length).toBe(1);
    expect(metadata.row_groups[0]?.columns[0]?.meta_data?.statistics).toMatchObject({ null_count: 17_555n });
    const wrong = await duckdb.runAndReadAll(`
      SELECT count(*)::INTEGER AS rows, count(nothing)::INTEGER AS nothing, count(*) FILTER (
        (n IS NULL) <> (i % 7 = 0) OR n <> i * 10000000000 OR (t IS NULL) <> (i % 5 = 0) OR t <> left('user-00000000', (i % 14)::INTEGER)
        OR (flag IS NULL) <> (i % 3 = 0) OR flag <> (i % 2 = 0) OR source <> concat('file-', i // 300))::INTEGER AS wrong
      FROM (SELECT *, file_row_number AS i FROM read_parquet('${path}', file_row_number = true))`);
    expect(wrong.getRowObjectsJS()).toEqual([{ rows: MAX_SEGMENT_ROWS, nothing: 0, wrong: 0 }]);
  });

  it('asks to be written early when records are huge, and lets go of their memory', () => {
    const writer = new SegmentWriter([{ name: 'raw', type: 'bytes' }]);
    const raw = new Uint8Array(1_048_576);
    while (!writer.isFull) writer.column('raw').appendText(raw, 0, raw.length);
    expect(writer.rows).toBe(32);
    expect(writer.byteSize).toBe(32 * (raw.length + 4));
    writer.reset();
    expect([writer.isFull, writer.rows, writer.byteSize]).toEqual([false, 0, 0]);
  });

  it('refuses a segment whose columns do not agree', () => {
    const path = join(folder, 'refused.parquet');
    const columns: StagedColumn[] = [
      { name: 'a', type: 'int64' },
      { name: 'b', type: 'int64' },
      { name: 'source', type: 'utf8', inRuns: true },
    ];
    const short = new SegmentWriter(columns);
    short.column('a').appendNumber(1);
    expect(() => short.writeTo(path)).toThrow('Column b does not tell the value of each of 1 rows');
    short.column('b').appendNull();
    expect(() => short.writeTo(path)).toThrow('Column b holds a null and must not');
    const late = new SegmentWriter(columns);
    for (const name of ['a', 'b']) late.column(name).appendNumber(1);
    expect(() => late.writeTo(path)).toThrow('Column source does not tell the value of each of 1 rows');
    late.startTextRun('source', 'x');
    expect(() => late.writeTo(path)).toThrow('Column source does not tell the value of each of 1 rows');
    const long = new SegmentWriter([{ name: 'a', type: 'int64' }]);
    for (let i = 0; i <= MAX_SEGMENT_ROWS; i++) long.column('a').appendNumber(i);
    expect(() => long.writeTo(path)).toThrow('122881');
    expect(() => long.column('b')).toThrow('no column b');
    expect(() => long.startTextRun('b', '')).toThrow('no column b');
    expect(() => new SegmentWriter([{ name: 'source', type: 'utf8', inRuns: true }])).toThrow('counts the rows');
  });

  it('says what to do when the folder cannot be written', () => {
    const writer = new SegmentWriter([{ name: 'a', type: 'int64' }]);
    writer.column('a').appendNumber(1);
    const error = failure(() => writer.writeTo(join(folder, 'absent', 'x.parquet')));
    expect(error).toMatchObject({ code: 'data_unusable', remedy: expect.stringContaining('may write') });
  });

  it('says so when the disk is full, and leaves no part of a file', ({ skip }) => {
    // /dev/full refuses every write as a full disk does.
    if (process.platform !== 'linux') return skip('/dev/full is a device of Linux');
    const writer = new SegmentWriter([{ name: 'a', type: 'int64' }]);
    writer.column('a').appendNumber(1);
    // Through a link, because what could not be written is removed.
    const full = join(folder, 'full-disk');
    mkdirSync(full);
    const path = join(full, 'segment.parquet');
    symlinkSync('/dev/full', path);
    expect(failure(() => writer.writeTo(path))).toMatchObject({ code: 'disk_full', remedy: expect.stringContaining('Free space') });
    expect(readdirSync(full)).toEqual([]);
    expect(existsSync('/dev/full')).toBe(true);
    return undefined;
  });
});

function failure(action: () => unknown): AdvertiseXError {
  try {
    action();
  } catch (error) {
    if (error instanceof AdvertiseXError) return error;
    throw error;
  }
  throw new Error('It did not fail');
}
