import { interrupted } from '../domain/errors.ts';
import { compactLake, type LakeCompaction } from '../lake/compact-lake.ts';
import { exportLake, type LakeExport, type LakeExportOptions } from '../lake/export-lake.ts';
import { readManifest } from '../lake/lake-manifest.ts';
import type { LakeSource } from '../lake/lake-source.ts';
import type { LakeUpload } from '../lake/upload-lake.ts';
import { InTurn } from './in-turn.ts';
import type { Instance } from './instance.ts';
import { lakeSource } from './lake.ts';
import { uploadInstanceLake } from './upload-instance-lake.ts';

export interface InstanceLakeOptions extends LakeExportOptions {
  /** The lake in the object store may be that of another data directory, or newer than this one: it is not any more. */
  readonly takeOver?: boolean;
}

export interface InstanceLakeExport extends LakeExport {
  /** Where the settings want the lake in an object store as well. */
  readonly upload?: LakeUpload;
}

/** Brings the lake up to the last committed batch. */
export async function exportInstanceLake(instance: Instance, options: InstanceLakeOptions = {}): Promise<InstanceLakeExport> {
  // The engine has time for it meanwhile: copies leave processors idle. Nothing is lost where it fails.
  const settled = instance.engine.settle('some').catch(() => undefined);
  try {
    const written = await exportLake(await lakeSource(instance), instance.directory.lake, options);
    return await withUpload(instance, written, options, instance.signal);
  } finally {
    await settled;
  }
}

/** The same beside batches, which come first. Once the signal is aborted it ends where it is: the next export does the rest. */
export function exportLakeBesideBatches(
  instance: Instance,
  signal: AbortSignal,
  options: Pick<InstanceLakeOptions, 'everything' | 'onProgress' | 'takeOver'> = {},
): Promise<InstanceLakeExport> {
  return exports.run(instance.batches, () => exportBeside(instance, signal, options));
}

/** Two at the same time would remove each other's files. */
const exports = new InTurn();

async function exportBeside(instance: Instance, signal: AbortSignal, options: InstanceLakeOptions): Promise<InstanceLakeExport> {
  const source = await lakeSource(instance, signal);
  const { disk, directory } = instance;
  const givesRoom = (await disk.look()).level === 'full' && (await showsExpired(source, directory.lake));
  const written = await exportLake(source, directory.lake, {
    ...options,
    copiesAtOnce: 1,
    beforeStep: async (step) => {
      // What is written aside is removed also when it breaks off.
      if (step !== 'remove_writing') requireGoing(signal);
      if (step === 'copy_slices' && !givesRoom) await disk.requireRoom();
    },
  });
  return withUpload(instance, written, options, signal);
}

async function withUpload<Written extends LakeExport>(
  instance: Instance,
  written: Written,
  { everything = false, takeOver = false, onProgress }: InstanceLakeOptions,
  signal: AbortSignal | undefined,
  sweep = false,
): Promise<Written & InstanceLakeExport> {
  const upload = await uploadInstanceLake(instance, {
    everything,
    takeOver,
    sweep,
    signal,
    onProgress: ({ filesDone, filesToDo }) => onProgress?.({ slicesDone: filesDone, slicesToDo: filesToDo }),
  });
  return upload === undefined ? written : { ...written, upload };
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
export async function compactInstanceLake(
  instance: Instance,
  options: Omit<InstanceLakeOptions, 'everything'> = {},
): Promise<LakeCompaction & InstanceLakeExport> {
  const written = await compactLake(await lakeSource(instance), instance.directory.lake, options);
  return withUpload(instance, written, { ...options, everything: true }, instance.signal, true);
}

function requireGoing(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}
