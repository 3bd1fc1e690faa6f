import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import type { StreamDamage } from './open-stream.ts';
import { binaryText, renderObject, renderValue } from './parquet/render-value.ts';

/** So many rows are held at a time, of a row group that has more. */
const ROWS_AT_ONCE = 65_536;
const CHUNK_CHARACTERS = 262_144;

const COMPRESSORS: Compressors = {
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
  ZSTD: (input) => zstdDecompressSync(input),
};

/**
 * The rows of a Parquet file as JSON, an object a line, in their order: numbers with all their digits, times in RFC 3339. The same file gives
 * the same bytes each time. Where it is damaged it gives what can be read before that, then one `StreamDamage`, and ends.
 */
export class ParquetLines implements AsyncIterable<Uint8Array | StreamDamage> {
  /** Of the file, about. */
  bytesRead = 0;
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array | StreamDamage> {
    const file = await asyncBufferFromFile(this.path);
    let row = 0;
    try {
      const metadata = await parquetMetadataAsync(file, { geoparquet: false });
      const fields = parquetSchema(metadata).children;
      const rows = Number(metadata.num_rows);
      for (const [from, to] of stretchesOf(metadata)) {
        const columns = await readColumns(file, metadata, from, to);
        yield* linesOf(fields, columns, to - from);
        row = to;
        this.bytesRead = Math.floor((file.byteLength * row) / Math.max(1, rows));
      }
    } catch (error) {
      // A disk that fails is no damage of the file.
      if (typeof (error as NodeJS.ErrnoException).syscall === 'string') throw error;
      yield { damage: `The Parquet file is damaged or of a kind that is not read, at row ${row} or in its footer: ${(error as Error).message}.` };
    }
  }
}

/** Row ranges that do not go past the end of a row group. */
function* stretchesOf({ row_groups }: FileMetaData): Generator<readonly [from: number, to: number]> {
  let start = 0;
  for (const group of row_groups) {
    const end = start + Number(group.num_rows);
    for (let from = start; from < end; from += ROWS_AT_ONCE) yield [from, Math.min(end, from + ROWS_AT_ONCE)];
    start = end;
  }
}

async function readColumns(file: AsyncBuffer, metadata: FileMetaData, from: number, to: number): Promise<ReadonlyMap<string, readonly unknown[]>> {
  const columns = new Map<string, { readonly values: unknown[]; count: number }>();
  await parquetRead({
    file,
    metadata: withoutDecimals(metadata),
    rowStart: from,
    rowEnd: to,
    compressors: COMPRESSORS,
    utf8: false,
    geoparquet: false,
    useOffsetIndex: true,
    parsers: {
      timestampFromMilliseconds: (millis) => millis,
      timestampFromMicroseconds: (micros) => micros,
      timestampFromNanoseconds: (nanos) => nanos,
      dateFromDays: (days) => days,
      stringFromBytes: binary,
      jsonFromBytes: binary,
    },
    onChunk: ({ columnName, columnData, rowStart }) => {
      const column = columns.get(columnName) ?? { values: new Array(to - from), count: 0 };
      columns.set(columnName, column);
      for (let index = Math.max(0, from - rowStart); index < columnData.length && rowStart + index < to; index++) {
        column.values[rowStart + index - from] = columnData[index];
        column.count++;
      }
    },
  });
  // Damage may end a column early and look like its end.
  for (const [name, { count }] of columns) if (count !== to - from) throw new Error(`column ${name} has ${count} values for ${to - from} rows`);
  return new Map([...columns].map(([name, { values }]) => [name, values]));
}

/** They would be made floating-point numbers. */
function withoutDecimals(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    if (element.converted_type !== 'DECIMAL') return element;
    const { converted_type: _, ...rest } = element;
    return rest;
  });
  return { ...metadata, schema };
}

function binary(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function* linesOf(fields: readonly SchemaTree[], columns: ReadonlyMap<string, readonly unknown[]>, rows: number): Generator<Uint8Array> {
  const held = fields.map((field) => ({ field, name: binaryText(field.element.name), values: columns.get(field.element.name) ?? [] }));
  let text = '';
  for (let row = 0; row < rows; row++) {
    text += `${renderObject(held.map(({ field, name, values }) => [name, renderValue(values[row], field)]))}\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text, 'latin1');
    text = '';
  }
  if (text !== '') yield Buffer.from(text, 'latin1');
}
