import { compactLake, type LakeCompaction } from '../lake/compact-lake.ts';
import { exportLake, type LakeExport, type LakeExportOptions } from '../lake/export-lake.ts';
import type { Instance } from './instance.ts';
import { lakeSource } from './lake.ts';

/** Brings the lake up to the last committed batch. */
export async function exportInstanceLake(instance: Instance, options: LakeExportOptions = {}): Promise<LakeExport> {
  // The engine has time for it meanwhile: copies leave processors idle. Nothing is lost where it fails.
  const settled = instance.engine.settle().catch(() => undefined);
  try {
    return await exportLake(await lakeSource(instance), instance.directory.lake, options);
  } finally {
    await settled;
  }
}

/** Writes every slice of the lake again, and removes what no export put there. */
export async function compactInstanceLake(instance: Instance, options: Omit<LakeExportOptions, 'everything'> = {}): Promise<LakeCompaction> {
  return compactLake(await lakeSource(instance), instance.directory.lake, options);
}
