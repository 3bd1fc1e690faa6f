import { interrupted } from '../domain/errors.ts';
import { compactLake, type LakeCompaction } from '../lake/compact-lake.ts';
import { exportLake, type LakeExport, type LakeExportOptions } from '../lake/export-lake.ts';
import { InTurn } from './in-turn.ts';
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

/** The same beside batches, which come first. Once the signal is aborted it ends where it is: the next export does the rest. */
export function exportLakeBesideBatches(
  instance: Instance,
  signal: AbortSignal,
  options: Pick<LakeExportOptions, 'everything' | 'onProgress'> = {},
): Promise<LakeExport> {
  return exports.run(instance.batches, () => exportBeside(instance, signal, options));
}

/** Two at the same time would remove each other's files. */
const exports = new InTurn();

async function exportBeside(instance: Instance, signal: AbortSignal, options: LakeExportOptions): Promise<LakeExport> {
  const source = await lakeSource(instance, signal);
  return exportLake(source, instance.directory.lake, {
    ...options,
    copiesAtOnce: 1,
    beforeStep: (step) => {
      // What is written aside is removed also when it breaks off.
      if (step !== 'remove_writing') requireGoing(signal);
    },
  });
}

/** Writes every slice of the lake again, and removes what no export put there. */
export async function compactInstanceLake(instance: Instance, options: Omit<LakeExportOptions, 'everything'> = {}): Promise<LakeCompaction> {
  return compactLake(await lakeSource(instance), instance.directory.lake, options);
}

function requireGoing(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}
