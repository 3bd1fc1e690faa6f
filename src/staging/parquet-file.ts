import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import type { StagedType } from './column-builder.ts';
import { LONGEST_VARINT, T, ThriftWriter, writeVarint } from './thrift.ts';

/** A column as it goes into a file. */
export interface FilledColumn {
  readonly name: string;
  readonly type: StagedType;
  readonly nullable: boolean;
  readonly nulls: number;
  /** Whether it tells of each of so many rows what stands in it, and of no more. */
  covers(rows: number): boolean;
  /** Of each row that has one, in Parquet's PLAIN encoding; of a column with a dictionary, what it holds, each once. */
  values(): Uint8Array;
  readonly dictionary?: ColumnDictionary | undefined;
  /** One bit a row, set where there is a value. Of nullable columns. */
  presence(): Uint8Array;
}

export interface ColumnDictionary {
  /** Values that it holds. */
  readonly size: number;
  /** For each row that has a value, which one: a byte that tells the width of an index in bits, then runs of indices (Parquet's RLE_DICTIONARY). */
  indices(rows: number): readonly Uint8Array[];
}

/** What `indices` gives for indices of two bytes each, one a value: one run. It holds groups of eight, and its header is their number × 2, plus 1. */
export function indexPage(indices: Uint8Array): Uint8Array[] {
  const groups = Math.ceil(indices.length / 16);
  const header = new Uint8Array(1 + LONGEST_VARINT);
  header[0] = 16;
  return [header.subarray(0, writeVarint(header, 1, 2 * groups + 1)), indices, new Uint8Array(16 * groups - indices.length)];
}

/**
 * The parts of a Parquet file around the values of a segment: page headers, definition levels, the footer.
 *
 *     "PAR1" · for each column: [dictionary page] data page · footer · length of the footer (4 bytes) · "PAR1"
 *     page: header (Thrift) · [definition levels: length (4 bytes), runs] · values
 *
 * One row group, one data page (version 1) a column, nothing compressed: the file lives only until the engine has read it. It is written
 * by hand, because there is one for each file that comes, and a writer for any Parquet took longer over headers than over rows.
 */
export function layOutFile(columns: readonly FilledColumn[], rows: number): Uint8Array[] {
  return layOutPages(
    columns,
    rows,
    columns.map((column) => pagesOf(column, rows)),
    CODEC.uncompressed,
  );
}

/** The same for a file that is kept: its pages are compressed, by threads of the system. The columns must stay as they are meanwhile. */
export async function layOutZstdFile(columns: readonly FilledColumn[], rows: number): Promise<Uint8Array[]> {
  const pages: Page[][] = [];
  // One after the other: it is work for the time between others' work.
  for (const column of columns) {
    const compressed: Page[] = [];
    for (const page of pagesOf(column, rows)) compressed.push({ ...page, body: [await compress(joined(page.body))] });
    pages.push(compressed);
  }
  return layOutPages(columns, rows, pages, CODEC.zstd);
}

const compress = promisify(zstdCompress);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const filled = parts.filter(({ length }) => length > 0);
  return filled.length === 1 ? (filled[0] as Uint8Array) : Buffer.concat(filled);
}

interface Page {
  readonly kind: 'data' | 'dictionary';
  readonly values: number;
  readonly encoding: number;
  /** Before it is compressed. */
  readonly bytes: number;
  /** As it stands in the file. */
  readonly body: readonly Uint8Array[];
}

function layOutPages(columns: readonly FilledColumn[], rows: number, pages: readonly (readonly Page[])[], codec: number): Uint8Array[] {
  const parts: Uint8Array[] = [MAGIC];
  const chunks: ColumnChunk[] = [];
  let offset = MAGIC.length;
  if (rows > 0) {
    for (const [index, column] of columns.entries()) {
      const chunk = { column, offset, size: 0, plainSize: 0, dictionarySize: 0, codec };
      for (const page of pages[index] as readonly Page[]) {
        const size = byteLength(page.body);
        const header = pageHeader(page, size);
        parts.push(header, ...page.body);
        chunk.size += header.length + size;
        chunk.plainSize += header.length + page.bytes;
        if (page.kind === 'dictionary') chunk.dictionarySize = chunk.size;
      }
      chunks.push(chunk);
      offset += chunk.size;
    }
  }
  const footer = writeFooter(columns, rows, chunks, offset - MAGIC.length);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, footer.length, true);
  parts.push(footer, length, MAGIC);
  return parts;
}

const UTF8 = new TextEncoder();
const MAGIC = UTF8.encode('PAR1');
const WRITER = UTF8.encode('advertisex');
const ROOT = UTF8.encode('segment');

/** Where a column lies in the file. */
interface ColumnChunk {
  readonly column: FilledColumn;
  readonly offset: number;
  readonly size: number;
  /** Before it was compressed. */
  readonly plainSize: number;
  readonly dictionarySize: number;
  readonly codec: number;
}

function pagesOf(column: FilledColumn, rows: number): Page[] {
  if (rows === 0) return [];
  const { dictionary } = column;
  const pages: Page[] = [];
  if (dictionary !== undefined) {
    const values = column.values();
    pages.push({ kind: 'dictionary', values: dictionary.size, encoding: ENCODING.plain, bytes: values.length, body: [values] });
  }
  const body = [column.nullable ? definitionLevels(column, rows) : NOTHING, ...(dictionary?.indices(rows) ?? [column.values()])];
  pages.push({ kind: 'data', values: rows, encoding: dictionary === undefined ? ENCODING.plain : ENCODING.dictionary, bytes: byteLength(body), body });
  return pages;
}

function byteLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

const NOTHING = new Uint8Array(0);

/** One run: of one level where no row or every row is null, else of a bit a row. A run's header is its length × 2, plus 1 if it is bits. */
function definitionLevels(column: FilledColumn, rows: number): Uint8Array {
  const { nulls } = column;
  const ofOneLevel = nulls === 0 || nulls === rows;
  const run = ofOneLevel ? Uint8Array.of(nulls === 0 ? 1 : 0) : column.presence();
  const levels = new Uint8Array(4 + LONGEST_VARINT + run.length);
  const start = writeVarint(levels, 4, ofOneLevel ? 2 * rows : 2 * run.length + 1);
  levels.set(run, start);
  const end = start + run.length;
  new DataView(levels.buffer).setUint32(0, end - 4, true);
  return levels.subarray(0, end);
}

/** Numbers of parquet.thrift. */
const ENCODING = { plain: 0, levels: 3, dictionary: 8 } as const;
const PAGE = { data: 0, dictionary: 2 } as const;
const REPETITION = { required: 0, optional: 1 } as const;
const CODEC = { uncompressed: 0, zstd: 6 } as const;

function pageHeader({ kind, values, encoding, bytes }: Page, size: number): Uint8Array {
  const header = new ThriftWriter(64).integer(1, T.i32, PAGE[kind]).integer(2, T.i32, bytes).integer(3, T.i32, size);
  header
    .begin(kind === 'data' ? 5 : 7)
    .integer(1, T.i32, values)
    .integer(2, T.i32, encoding);
  if (kind === 'data') header.integer(3, T.i32, ENCODING.levels).integer(4, T.i32, ENCODING.levels);
  return header.end().end().finish();
}

/** FileMetaData of parquet.thrift. */
function writeFooter(columns: readonly FilledColumn[], rows: number, chunks: readonly ColumnChunk[], bytes: number): Uint8Array {
  const footer = new ThriftWriter(256 * (columns.length + 1)).integer(1, T.i32, 2).list(2, T.struct, columns.length + 1);
  footer.begin().text(4, ROOT).integer(5, T.i32, columns.length).end();
  for (const column of columns) describeColumn(footer, column);
  footer.integer(3, T.i64, rows).list(4, T.struct, rows === 0 ? 0 : 1);
  if (rows > 0) {
    footer.begin().list(1, T.struct, chunks.length);
    for (const chunk of chunks) describeChunk(footer, chunk, rows);
    footer.integer(2, T.i64, bytes).integer(3, T.i64, rows).end();
  }
  return footer.text(6, WRITER).end().finish();
}

interface ParquetType {
  /** BOOLEAN 0, INT32 1, INT64 2, BYTE_ARRAY 6, FIXED_LEN_BYTE_ARRAY 7. */
  readonly physical: number;
  readonly length?: number;
  /** ConvertedType: UTF8 0, DATE 6. */
  readonly converted?: number;
  /** Field of the union LogicalType: STRING 1, DATE 6, TIMESTAMP 8, UUID 14. */
  readonly logical?: number;
}

const TIMESTAMP = 8;

/** What makes DuckDB read VARCHAR, BLOB, BIGINT, TIMESTAMP, DATE, BOOLEAN and UUID. */
const PARQUET_TYPES: Readonly<Record<StagedType, ParquetType>> = {
  utf8: { physical: 6, converted: 0, logical: 1 },
  bytes: { physical: 6 },
  int64: { physical: 2 },
  hash: { physical: 2 },
  timestamp: { physical: 2, logical: TIMESTAMP },
  date: { physical: 1, converted: 6, logical: 6 },
  boolean: { physical: 0 },
  key: { physical: 7, length: 16, logical: 14 },
};

/** SchemaElement of parquet.thrift. */
function describeColumn(footer: ThriftWriter, { name, type, nullable }: FilledColumn): void {
  const { physical, length, converted, logical } = PARQUET_TYPES[type];
  footer.begin().integer(1, T.i32, physical);
  if (length !== undefined) footer.integer(2, T.i32, length);
  footer.integer(3, T.i32, nullable ? REPETITION.optional : REPETITION.required).text(4, UTF8.encode(name));
  if (converted !== undefined) footer.integer(6, T.i32, converted);
  if (logical !== undefined) {
    footer.begin(10).begin(logical);
    // Not adjusted to UTC, in microseconds.
    if (logical === TIMESTAMP) footer.boolean(1, false).begin(2).begin(2).end().end();
    footer.end().end();
  }
  footer.end();
}

/** ColumnChunk and ColumnMetaData of parquet.thrift. */
function describeChunk(footer: ThriftWriter, { column, offset, size, plainSize, dictionarySize, codec }: ColumnChunk, rows: number): void {
  const encodings = dictionarySize > 0 ? [ENCODING.plain, ENCODING.dictionary, ENCODING.levels] : [ENCODING.plain, ENCODING.levels];
  footer.begin().integer(2, T.i64, 0).begin(3).integer(1, T.i32, PARQUET_TYPES[column.type].physical).list(2, T.i32, encodings.length);
  for (const encoding of encodings) footer.integerItem(encoding);
  footer.list(3, T.binary, 1).textItem(UTF8.encode(column.name)).integer(4, T.i32, codec).integer(5, T.i64, rows);
  footer
    .integer(6, T.i64, plainSize)
    .integer(7, T.i64, size)
    .integer(9, T.i64, offset + dictionarySize);
  if (dictionarySize > 0) footer.integer(11, T.i64, offset);
  footer.begin(12).integer(3, T.i64, column.nulls).end().end().end();
}
