import { compactLake, type LakeCompaction } from '../lake/compact-lake.ts';
import { exportLake, type LakeExport, type LakeExportOptions } from '../lake/export-lake.ts';
import type { Instance } from './instance.ts';
import { lakeSource } from './lake.ts';

/** Brings the lake up to the last committed batch. */
export async function exportInstanceLake(instance: Instance, options: LakeExportOptions = {}): Promise<LakeExport> {
  return exportLake(await lakeSource(instance), instance.directory.lake, options);
}

/** Writes every slice of the lake again, and removes what no export put there. */
export async function compactInstanceLake(instance: Instance, options: Omit<LakeExportOptions, 'everything'> = {}): Promise<LakeCompaction> {
  return compactLake(await lakeSource(instance), instance.directory.lake, options);
}
