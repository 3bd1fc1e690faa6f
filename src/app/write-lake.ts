import { interrupted } from '../domain/errors.ts';
import { compactLake, type LakeCompaction } from '../lake/compact-lake.ts';
import { exportLake, type LakeExport, type LakeExportOptions } from '../lake/export-lake.ts';
import { readManifest } from '../lake/lake-manifest.ts';
import type { LakeSource } from '../lake/lake-source.ts';
import { InTurn } from './in-turn.ts';
import type { Instance } from './instance.ts';
import { lakeSource } from './lake.ts';

/** Brings the lake up to the last committed batch. */
export async function exportInstanceLake(instance: Instance, options: LakeExportOptions = {}): Promise<LakeExport> {
  // The engine has time for it meanwhile: copies leave processors idle. Nothing is lost where it fails.
  const settled = instance.engine.settle('some').catch(() => undefined);
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
  const { disk, directory } = instance;
  const givesRoom = (await disk.look()).level === 'full' && (await showsExpired(source, directory.lake));
  return exportLake(source, directory.lake, {
    ...options,
    copiesAtOnce: 1,
    beforeStep: async (step) => {
      // What is written aside is removed also when it breaks off.
      if (step !== 'remove_writing') requireGoing(signal);
      if (step === 'copy_slices' && !givesRoom) await disk.requireRoom();
    },
  });
}

/** Whether the lake has what expired since: it goes with an export, which makes room. */
async function showsExpired(source: LakeSource, lake: string): Promise<boolean> {
  const manifest = await readManifest(lake);
  for (const table of source.tables) {
    const entry = manifest?.tables.find(({ name }) => name === table.name);
    if (entry !== undefined && (await source.slicesExpiredSince(table, entry.batch)).size > 0) return true;
  }
  return false;
}

/** Writes every slice of the lake again, and removes what no export put there. */
export async function compactInstanceLake(instance: Instance, options: Omit<LakeExportOptions, 'everything'> = {}): Promise<LakeCompaction> {
  return compactLake(await lakeSource(instance), instance.directory.lake, options);
}

function requireGoing(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}
