import type { ReceivedFile } from '../reference/reference.ts';
import { reference, TABLE_NAMES } from '../reference/reference.ts';
import type { ReferenceSettings, Row } from '../reference/words.ts';
import { withoutKnownFiles } from './arrangements.ts';
import type { Tables } from './compare-tables.ts';
import type { Product } from './product.ts';

export type TableFilter = (name: string) => boolean;
export const everyTable: TableFilter = () => true;
/** What is said of events, whoever brought them. */
export const derivedTables: TableFilter = (name) => !name.startsWith('ops.');

export async function productTables(product: Product, filter: TableFilter = everyTable, asOf?: number): Promise<Tables> {
  const tables: Record<string, readonly Row[]> = {};
  for (const name of TABLE_NAMES.filter(filter)) tables[name] = await product.table(name, asOf);
  return tables;
}

/** The reference's tables of what a product takes: files of known content are not taken again, files without records leave no trace. */
export function referenceTables(files: readonly ReceivedFile[], settings: ReferenceSettings, filter: TableFilter = everyTable): Tables {
  const { tables } = reference(withoutKnownFiles(files), settings);
  const outcomes = tables['ops.outcomes'].filter((row) => row['received'] !== 0n);
  return Object.fromEntries(Object.entries({ ...tables, 'ops.outcomes': outcomes }).filter(([name]) => filter(name)));
}
