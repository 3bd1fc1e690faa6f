import type { CellKind, CellValue } from '../domain/result-table.ts';
import { formatForPrograms } from './format-cell.ts';

/** A row as the engine's port gives it: times in microseconds, dates in days, both told by the names of their columns. */
export type PlainRow = Readonly<Record<string, CellValue | Uint8Array>>;

/** Values as JSON shows them: times and dates in ISO 8601. */
export function plainObject(row: PlainRow): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const kind = kindByName(name, value);
      return [name, value !== null && !(value instanceof Uint8Array) && (kind === 'timestamp' || kind === 'date') ? formatForPrograms(value, kind) : value];
    }),
  );
}

export function kindByName(name: string, value: CellValue | Uint8Array): CellKind {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value !== 'bigint' && typeof value !== 'number') return 'text';
  if (/_(time|at|from)$|^hour$/.test(name)) return 'timestamp';
  return name.endsWith('_date') ? 'date' : 'integer';
}

/** The text of bytes that are UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
