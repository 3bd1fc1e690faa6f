import {
  blobValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { CellKind, CellValue } from '../../domain/result-table.ts';
import type { ColumnType } from '../../domain/table.ts';
import type { EngineValue } from '../engine.ts';

export const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  varchar: 'VARCHAR',
  bigint: 'BIGINT',
  timestamp: 'TIMESTAMP',
  date: 'DATE',
  boolean: 'BOOLEAN',
  key: 'UUID',
  blob: 'BLOB',
  integers: 'INTEGER[]',
};

/** Level 1 takes half the time of the default, in a tenth more space; past so many values a dictionary is not worth its building. */
export const PARQUET = 'format parquet, compression zstd, compression_level 1, dictionary_size_limit 4000';

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export function setAsOf(asOf: number | null): string {
  return `set variable as_of = ${asOf === null ? 'null' : `cast(${asOf} as bigint)`}`;
}

/** A value as the pipeline holds it; types it does not use come as text. */
export function toEngineValue(value: DuckDBValue): EngineValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return value.micros;
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBBlobValue) return value.bytes;
  return String(value);
}

export function toDuckDbValue(value: EngineValue): DuckDBValue {
  return value instanceof Uint8Array ? blobValue(value) : value;
}

const INTEGER_TYPES: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
]);

export function cellKind(type: DuckDBType): CellKind {
  if (INTEGER_TYPES.has(type.typeId)) return 'integer';
  switch (type.typeId) {
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
    case DuckDBTypeId.DECIMAL:
      return 'decimal';
    case DuckDBTypeId.BOOLEAN:
      return 'boolean';
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return 'timestamp';
    case DuckDBTypeId.DATE:
      return 'date';
    default:
      return 'text';
  }
}

export function toCellValue(value: DuckDBValue): CellValue {
  if (value instanceof DuckDBDecimalValue) return value.toString();
  if (value instanceof DuckDBBlobValue) return value.toString();
  return toEngineValue(value) as CellValue;
}
