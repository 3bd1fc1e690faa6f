import type { ColumnChunk, FileMetaData, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { StagedType } from './column-builder.ts';

/** A column as it goes into a file. */
export interface FilledColumn {
  readonly name: string;
  readonly type: StagedType;
  readonly nullable: boolean;
  readonly nulls: number;
  /** Smallest and largest number; meaningless where there is none. */
  readonly minimum: number;
  readonly maximum: number;
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
  const header = new ByteWriter(8);
  header.appendUint8(16);
  header.appendVarInt((groups << 1) | 1);
  return [header.getBytes(), indices, new Uint8Array(16 * groups - indices.length)];
}

/**
 * The parts of a Parquet file around the values of a segment: page headers, definition levels, the footer.
 *
 *     "PAR1" · for each column: [dictionary page] data page · footer · length of the footer (4 bytes) · "PAR1"
 *     page: header (Thrift) · [definition levels: length (4 bytes), runs] · values
 *
 * One row group, one data page (version 1) a column, nothing compressed: the file lives only until the engine has read it.
 */
export function layOutFile(columns: readonly FilledColumn[], rows: number): Uint8Array[] {
  const parts: Uint8Array[] = [MAGIC];
  const chunks: ColumnChunk[] = [];
  let offset = MAGIC.length;
  if (rows > 0) {
    for (const column of columns) {
      const dictionary = dictionaryPage(column);
      const pages = [...dictionary, ...dataPage(column, rows)];
      const size = byteLength(pages);
      parts.push(...pages);
      chunks.push(describeChunk(column, rows, offset, size, byteLength(dictionary)));
      offset += size;
    }
  }
  const footer = new ByteWriter();
  const metadata: Omit<FileMetaData, 'metadata_length'> = {
    version: 2,
    created_by: 'advertisex',
    schema: [{ name: 'segment', num_children: columns.length }, ...columns.map(describeColumn)],
    num_rows: BigInt(rows),
    row_groups:
      rows === 0
        ? []
        : [{ columns: chunks, total_byte_size: BigInt(offset - MAGIC.length), total_compressed_size: BigInt(offset - MAGIC.length), num_rows: BigInt(rows) }],
  };
  writeMetadata(footer, metadata as FileMetaData);
  parts.push(footer.getBytes(), MAGIC);
  return parts;
}

const MAGIC = new TextEncoder().encode('PAR1');

function dictionaryPage(column: FilledColumn): Uint8Array[] {
  if (column.dictionary === undefined) return [];
  const values = column.values();
  const header = new ByteWriter(64);
  writePageHeader(header, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: values.length,
    compressed_page_size: values.length,
    dictionary_page_header: { num_values: column.dictionary.size, encoding: 'PLAIN' },
  });
  return [header.getBytes(), values];
}

function dataPage(column: FilledColumn, rows: number): Uint8Array[] {
  const { dictionary } = column;
  const body = [column.nullable ? definitionLevels(column, rows) : NOTHING, ...(dictionary?.indices(rows) ?? [column.values()])];
  return [dataPageHeader(rows, byteLength(body), dictionary === undefined ? 'PLAIN' : 'RLE_DICTIONARY'), ...body];
}

function byteLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

const NOTHING = new Uint8Array(0);

function dataPageHeader(rows: number, size: number, encoding: 'PLAIN' | 'RLE_DICTIONARY'): Uint8Array {
  const header = new ByteWriter(64);
  writePageHeader(header, {
    type: 'DATA_PAGE',
    uncompressed_page_size: size,
    compressed_page_size: size,
    data_page_header: { num_values: rows, encoding, definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' },
  });
  return header.getBytes();
}

/** One run: of one level where no row or every row is null, else of a bit a row. A run's header is its length × 2, plus 1 if it is bits. */
function definitionLevels(column: FilledColumn, rows: number): Uint8Array {
  const { nulls } = column;
  const run = new ByteWriter(32);
  if (nulls === 0 || nulls === rows) {
    run.appendVarInt(rows << 1);
    run.appendUint8(nulls === 0 ? 1 : 0);
  } else {
    const presence = column.presence();
    run.appendVarInt((presence.length << 1) | 1);
    run.appendBytes(presence);
  }
  const levels = new ByteWriter(run.offset + 4);
  levels.appendUint32(run.offset);
  levels.appendBytes(run.getBytes());
  return levels.getBytes();
}

function describeColumn(column: FilledColumn): SchemaElement {
  return { ...PARQUET_TYPES[column.type], name: column.name, repetition_type: column.nullable ? 'OPTIONAL' : 'REQUIRED' };
}

/** What makes DuckDB read VARCHAR, BLOB, BIGINT, TIMESTAMP, DATE, BOOLEAN and UUID. */
const PARQUET_TYPES: Readonly<Record<StagedType, Omit<SchemaElement, 'name' | 'repetition_type'> & { type: NonNullable<SchemaElement['type']> }>> = {
  utf8: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  bytes: { type: 'BYTE_ARRAY' },
  int64: { type: 'INT64' },
  hash: { type: 'INT64' },
  timestamp: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
  date: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
  boolean: { type: 'BOOLEAN' },
  key: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
};

function describeChunk(column: FilledColumn, rows: number, offset: number, size: number, dictionarySize: number): ColumnChunk {
  const hasRange = (column.type === 'int64' || column.type === 'timestamp') && column.nulls < rows;
  return {
    file_offset: 0n,
    meta_data: {
      type: PARQUET_TYPES[column.type].type,
      encodings: dictionarySize > 0 ? ['PLAIN', 'RLE_DICTIONARY', 'RLE'] : ['PLAIN', 'RLE'],
      path_in_schema: [column.name],
      codec: 'UNCOMPRESSED',
      num_values: BigInt(rows),
      total_uncompressed_size: BigInt(size),
      total_compressed_size: BigInt(size),
      data_page_offset: BigInt(offset + dictionarySize),
      ...(dictionarySize > 0 ? { dictionary_page_offset: BigInt(offset) } : {}),
      statistics: {
        null_count: BigInt(column.nulls),
        ...(hasRange ? { min_value: BigInt(column.minimum), max_value: BigInt(column.maximum) } : {}),
      },
    },
  };
}
