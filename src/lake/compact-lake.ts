import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './durable-files.ts';
import { exportLake, type LakeExport, type LakeExportOptions } from './export-lake.ts';
import { reportingFailures } from './lake-failure.ts';
import { listTable, slicePath } from './lake-layout.ts';
import { readManifest } from './lake-manifest.ts';
import type { LakeSource } from './lake-source.ts';

export interface LakeCompaction extends LakeExport {
  /** What no table has a place for, and is gone now; relative to the lake. */
  readonly swept: readonly string[];
}

/**
 * Writes every slice again as one file, and removes what engines would read but no export put there: files of other names in a
 * table's folder, and tables that the product no longer has.
 */
export async function compactLake(source: LakeSource, lake: string, options: Omit<LakeExportOptions, 'everything'> = {}): Promise<LakeCompaction> {
  return reportingFailures(lake, async () => {
    const before = await readManifest(lake);
    const written = await exportLake(source, lake, { ...options, everything: true });
    const swept: string[] = [];
    for (const table of source.tables) {
      const { files, strays } = await listTable(lake, table);
      const extra = [...files].flatMap(([slice, paths]) => paths.filter((path) => path !== slicePath(table, slice)));
      swept.push(...strays, ...extra);
    }
    const current = new Set(source.tables.map(({ name }) => name));
    swept.push(...(before?.tables ?? []).map(({ name }) => name).filter((name) => !current.has(name)));
    for (const path of swept) await rm(join(lake, path), { recursive: true, force: true });
    await syncFolder(lake);
    return { ...written, swept };
  });
}
