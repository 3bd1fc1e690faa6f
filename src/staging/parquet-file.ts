import type { ColumnChunk, FileMetaData, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { StagedType } from './column-builder.ts';
import { RunColumn } from './run-column.ts';

/** A column as it goes into a file: a value a row, in Parquet's PLAIN encoding. */
export interface FilledColumn {
  readonly name: string;
  readonly type: StagedType;
  readonly nullable: boolean;
  readonly rows: number;
  readonly nulls: number;
  /** Smallest and largest number; meaningless where there is none. */
  readonly minimum: number;
  readonly maximum: number;
  values(): Uint8Array;
  /** One bit a row, set where there is a value. */
  presence(): Uint8Array;
}

/**
 * The parts of a Parquet file around the values of a segment: page headers, definition levels, the footer.
 *
 *     "PAR1" · for each column: [dictionary page] data page · footer · length of the footer (4 bytes) · "PAR1"
 *     page: header (Thrift) · [definition levels: length (4 bytes), runs] · values
 *
 * One row group, one data page (version 1) a column, nothing compressed: the file lives only until the engine has read it.
 */
export function layOutFile(columns: readonly (FilledColumn | RunColumn)[], rows: number): Uint8Array[] {
  const parts: Uint8Array[] = [MAGIC];
  const chunks: ColumnChunk[] = [];
  let offset = MAGIC.length;
  if (rows > 0) {
    for (const column of columns) {
      const pages = column instanceof RunColumn ? runPages(column, rows) : plainPages(column);
      const size = pages.reduce((sum, page) => sum + page.length, 0);
      parts.push(...pages);
      chunks.push(describeChunk(column, rows, offset, size, pages));
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

function plainPages(column: FilledColumn): Uint8Array[] {
  const levels = column.nullable ? definitionLevels(column) : NOTHING;
  const values = column.values();
  return [dataPageHeader(column.rows, levels.length + values.length, 'PLAIN'), levels, values];
}

function runPages(column: RunColumn, rows: number): Uint8Array[] {
  const values = column.dictionaryValues();
  const indices = column.indices(rows);
  const header = new ByteWriter(64);
  writePageHeader(header, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: values.length,
    compressed_page_size: values.length,
    dictionary_page_header: { num_values: column.dictionarySize, encoding: 'PLAIN' },
  });
  return [header.getBytes(), values, dataPageHeader(rows, indices.length, 'RLE_DICTIONARY'), indices];
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
function definitionLevels(column: FilledColumn): Uint8Array {
  const { rows, nulls } = column;
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

function describeColumn(column: FilledColumn | RunColumn): SchemaElement {
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

function describeChunk(column: FilledColumn | RunColumn, rows: number, offset: number, size: number, pages: readonly Uint8Array[]): ColumnChunk {
  const inRuns = column instanceof RunColumn;
  const dictionarySize = inRuns ? (pages[0]?.length ?? 0) + (pages[1]?.length ?? 0) : 0;
  const hasRange = (column.type === 'int64' || column.type === 'timestamp') && column.nulls < rows;
  return {
    file_offset: 0n,
    meta_data: {
      type: PARQUET_TYPES[column.type].type,
      encodings: inRuns ? ['PLAIN', 'RLE_DICTIONARY', 'RLE'] : ['PLAIN', 'RLE'],
      path_in_schema: [column.name],
      codec: 'UNCOMPRESSED',
      num_values: BigInt(rows),
      total_uncompressed_size: BigInt(size),
      total_compressed_size: BigInt(size),
      data_page_offset: BigInt(offset + dictionarySize),
      ...(inRuns ? { dictionary_page_offset: BigInt(offset) } : {}),
      statistics: {
        null_count: BigInt(column.nulls),
        ...(hasRange ? { min_value: BigInt(column.minimum), max_value: BigInt(column.maximum) } : {}),
      },
    },
  };
}
