import type { ReportRow } from '../reference/ratios.ts';
import type { ReceivedFile } from '../reference/reference.ts';
import { reference, TABLE_NAMES } from '../reference/reference.ts';
import type { ReferenceSettings, Row } from '../reference/words.ts';
import { withoutKnownFiles } from './arrangements.ts';
import { compareReports } from './compare-reports.ts';
import { compareTables, type Tables } from './compare-tables.ts';
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

/** What the product must hold after these files, as the reference has it; null, or the first difference. */
export async function differenceFromReference(
  product: Product,
  files: readonly ReceivedFile[],
  settings: ReferenceSettings,
  asOf?: number,
): Promise<string | null> {
  const { tables, report } = readByReference(files, settings);
  const difference = compareTables(tables, await productTables(product, everyTable, asOf), ['batch_id']);
  return difference ?? compareReports(report, await product.report(asOf));
}

export function referenceTables(files: readonly ReceivedFile[], settings: ReferenceSettings, filter: TableFilter = everyTable): Tables {
  const { tables } = readByReference(files, settings);
  return Object.fromEntries(Object.entries(tables).filter(([name]) => filter(name)));
}

/** The reference's tables of what a product takes: files of known content are not taken again, files without records leave no trace. */
function readByReference(files: readonly ReceivedFile[], settings: ReferenceSettings): { tables: Tables; report: readonly ReportRow[] } {
  const { tables, report } = reference(withoutKnownFiles(files), settings);
  return { tables: { ...tables, 'ops.outcomes': tables['ops.outcomes'].filter((row) => row['received'] !== 0n) }, report };
}
