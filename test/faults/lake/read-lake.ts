import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { type LakeSlice, type LakeSource, type LakeTable, WHOLE } from '../../../src/lake/lake-source.ts';
import type { RowsLakeSource } from './rows-lake-source.ts';

/** What an engine finds that is pointed at the folders of the tables: values by table and slice. Throws on a file it cannot read. */
export async function readLake(lake: string, tables: LakeSource['tables']): Promise<Record<string, Record<LakeSlice, string[]>>> {
  const found: Record<string, Record<LakeSlice, string[]>> = {};
  for (const table of tables) {
    const slices: Record<LakeSlice, string[]> = {};
    found[table.name] = slices;
    for (const { slice, folder } of folders(lake, table)) {
      for (const file of visible(folder)) {
        const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, file)) });
        slices[slice] = [...(slices[slice] ?? []), ...rows.map((row) => String(row['user_id']))].sort();
      }
    }
  }
  return found;
}

/** The same of the tables. */
export function tablesAsOf(source: RowsLakeSource, batch: number): Record<string, Record<LakeSlice, string[]>> {
  return Object.fromEntries(
    source.tables.map((table) => [table.name, Object.fromEntries(source.slices(table, batch).map((slice) => [slice, source.values(table, slice, batch)]))]),
  );
}

function folders(lake: string, table: LakeTable): { slice: LakeSlice; folder: string }[] {
  const folder = join(lake, table.name);
  if (table.divided === 'whole') return [{ slice: WHOLE, folder }];
  return visible(folder).map((name) => ({ slice: name.replace(/^dt=/, ''), folder: join(folder, name) }));
}

function visible(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !/^[._]/.test(name)) : [];
}
