import type { ColumnType, Table } from '../domain/table.ts';
import type { StagedType } from './column-builder.ts';
import type { StagedColumn } from './segment-writer.ts';

/** Told once a file, not once a row. */
const RUN_COLUMNS: ReadonlySet<string> = new Set(['source', 'received_at']);
const HASH_COLUMNS: ReadonlySet<string> = new Set(['key_hash', 'content_hash', 'user_hash']);
/** An array is nothing that is staged. */
const STAGED_TYPES: Readonly<Record<Exclude<ColumnType, 'integers'>, StagedType>> = {
  varchar: 'utf8',
  bigint: 'int64',
  timestamp: 'timestamp',
  date: 'date',
  boolean: 'boolean',
  key: 'key',
  blob: 'bytes',
};

/** How a staged table is laid out in a segment. */
export function segmentColumns(table: Table): StagedColumn[] {
  return table.columns.map(({ name, type }) => {
    if (type === 'integers') throw new TypeError(`${table.name}.${name} cannot be staged`);
    if (RUN_COLUMNS.has(name)) return { name, type: STAGED_TYPES[type], inRuns: true };
    if (HASH_COLUMNS.has(name)) return { name, type: 'hash' };
    return { name, type: STAGED_TYPES[type], nullable: type !== 'key' };
  });
}
