import { open } from 'node:fs/promises';
import { type AsyncBuffer, parquetMetadataAsync, type SchemaElement } from 'hyparquet';
import type { LakeColumn, LakeType } from './lake-source.ts';

export interface ParquetFooter {
  readonly rows: number;
  readonly bytes: number;
  /** A type that the lake does not have is given in Parquet's words. */
  readonly columns: readonly { readonly name: string; readonly type: LakeType | `parquet ${string}` }[];
}

/** What a file says of itself at its end. Throws where it is cut or no Parquet file. */
export async function readFooter(path: string): Promise<ParquetFooter> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const buffer: AsyncBuffer = {
      byteLength: size,
      async slice(start, end = size) {
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        if (bytesRead < bytes.length) throw new Error('the file is shorter than it was');
        return bytes.buffer;
      },
    };
    const metadata = await parquetMetadataAsync(buffer, { initialFetchSize: 65_536 });
    const [, ...columns] = metadata.schema;
    return { rows: Number(metadata.num_rows), bytes: size, columns: columns.map((element) => ({ name: element.name, type: lakeType(element) })) };
  } finally {
    await file.close();
  }
}

/** Where the columns of a file differ from those of its table, or undefined. */
export function columnDifference(footer: ParquetFooter, columns: readonly LakeColumn[]): string | undefined {
  const found = footer.columns.map(({ name, type }) => `${name} ${type}`);
  const expected = columns.map(({ name, type }) => `${name} ${type}`);
  const at = expected.findIndex((column, index) => column !== found[index]);
  if (at >= 0) return `column ${at + 1} is ${found[at] ?? 'missing'}, expected ${expected[at]}`;
  return found.length > expected.length ? `column ${expected.length + 1} is ${found[expected.length]}, expected none` : undefined;
}

function lakeType({ type, converted_type, logical_type, num_children }: SchemaElement): LakeType | `parquet ${string}` {
  const logical = logical_type?.type;
  if (num_children === undefined) {
    if (type === 'BYTE_ARRAY' && (converted_type === 'UTF8' || logical === 'STRING')) return 'varchar';
    if (type === 'INT64' && logical_type?.type === 'TIMESTAMP' && logical_type.unit === 'MICROS' && !logical_type.isAdjustedToUTC) return 'timestamp';
    if (type === 'INT32' && (converted_type === 'DATE' || logical === 'DATE')) return 'date';
    if (type === 'INT64' && (converted_type === 'INT_64' || (converted_type === undefined && logical === undefined))) return 'bigint';
    if (converted_type === undefined && logical === undefined) {
      if (type === 'BYTE_ARRAY') return 'binary';
      if (type === 'DOUBLE') return 'double';
      if (type === 'BOOLEAN') return 'boolean';
    }
  }
  return `parquet ${[type ?? 'group', converted_type, logical].filter((word) => word !== undefined).join(' ')}`;
}
