import type { FieldPath } from '../decoder.ts';
import { fieldName } from '../field-tree.ts';
import type { RecordSlots } from '../record-slots.ts';
import { MAX_UNKNOWN_NAMES, unknownFieldName } from '../unknown-fields.ts';

/** A wider table is not a feed: the bound on what a header can make a decoder hold. */
export const MAX_COLUMNS = 4096;

export interface CsvHeader {
  /** Contract field of each column, or -1. */
  readonly fieldOfColumn: Int32Array;
  readonly unknownNames: readonly string[];
  /** What makes the file undecodable, or empty. */
  readonly problem: string;
}

/** Matches the header's names (trimmed, compared exactly; nested fields dotted) with the contract's fields. */
export function readHeader(cells: RecordSlots, cellCount: number, fields: readonly FieldPath[]): CsvHeader {
  if (cellCount > MAX_COLUMNS) return { fieldOfColumn: new Int32Array(0), unknownNames: [], problem: `the header has more than ${MAX_COLUMNS} columns` };
  const fieldOfName = new Map(fields.flatMap(({ paths }, field) => paths.map((path) => [path.join('.'), field] as const)));
  const fieldOfColumn = new Int32Array(cellCount).fill(-1);
  const unknownNames = new Set<string>();
  const seen = new Set<number>();
  let problem = '';
  for (let column = 0; column < fieldOfColumn.length; column++) {
    const bytes = trimmed((cells.buffers[column] as Uint8Array).subarray(cells.starts[column], cells.ends[column]));
    const field = fieldOfName.get(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    if (field === undefined) {
      if (unknownNames.size < MAX_UNKNOWN_NAMES) unknownNames.add(unknownFieldName(bytes));
      continue;
    }
    if (seen.has(field)) problem ||= `the header has more than one column for ${fieldName(fields, field)}`;
    seen.add(field);
    fieldOfColumn[column] = field;
  }
  return { fieldOfColumn, unknownNames: [...unknownNames], problem };
}

/** Without spaces and tabs around it. */
function trimmed(bytes: Uint8Array): Uint8Array {
  let start = 0;
  let end = bytes.length;
  while (start < end && isBlank(bytes[start])) start++;
  while (end > start && isBlank(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}
