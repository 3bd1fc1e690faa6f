import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AdvertiseXError } from '../domain/errors.ts';
import { makeFolder, syncFile, syncFolder } from './durable-files.ts';
import { sliceFolder, slicePath, WRITING_FOLDER } from './lake-layout.ts';
import type { LakeSlice, LakeSource, LakeTable } from './lake-source.ts';
import { columnDifference, readFooter } from './parquet-footer.ts';

/** What an export does to the disk, in the order it does it. */
export type LakeStep =
  | 'clear_writing'
  | 'copy_slice'
  | 'sync_slice'
  | 'make_folder'
  | 'replace_slice'
  | 'remove_slice'
  | 'sync_folders'
  | 'write_manifest'
  | 'replace_manifest'
  | 'remove_writing';

export interface SliceToWrite {
  readonly table: LakeTable;
  readonly slice: LakeSlice;
}

export interface WrittenSlice extends SliceToWrite {
  /** Undefined: it has no rows, and no file any more. */
  readonly file: { readonly path: string; readonly rows: number; readonly bytes: number } | undefined;
}

interface Draft extends WrittenSlice {
  readonly path: string;
  readonly synced: Promise<void>;
}

/** Writes slices aside, waits until they are safe on disk, then puts each in its place by one rename. */
export async function writeSlices(
  source: LakeSource,
  lake: string,
  slices: readonly SliceToWrite[],
  beforeStep: (step: LakeStep) => unknown,
  onDraft: () => void,
): Promise<WrittenSlice[]> {
  const drafts: Draft[] = [];
  for (const { table, slice } of slices) {
    drafts.push(await writeDraft(source, lake, table, slice, beforeStep));
    onDraft();
  }
  const changedFolders = new Set<string>();
  for (const draft of drafts) {
    await draft.synced;
    for (const folder of await putInPlace(lake, draft, beforeStep)) changedFolders.add(folder);
  }
  await beforeStep('sync_folders');
  await Promise.all([...changedFolders].map(syncFolder));
  return drafts.map(({ table, slice, file }) => ({ table, slice, file }));
}

/** The engine is not taken at its word: what will be put in place has been read back as far as its footer. */
async function writeDraft(source: LakeSource, lake: string, table: LakeTable, slice: LakeSlice, beforeStep: (step: LakeStep) => unknown): Promise<Draft> {
  const place = slicePath(table, slice);
  const path = join(lake, WRITING_FOLDER, `${table.name}.${slice}.parquet`);
  await beforeStep('copy_slice');
  await source.copySlice(table, slice, path);
  const footer = await readFooter(path);
  const difference = columnDifference(footer, table.columns);
  if (difference !== undefined) {
    throw new AdvertiseXError(
      'lake_failed',
      `The engine wrote ${table.name} for ${slice} with other columns than the lake has: ${difference}`,
      'Nothing of it was put into the lake. Report this message with the version.',
    );
  }
  const { rows, bytes } = footer;
  if (rows === 0) return { table, slice, path, file: undefined, synced: Promise.resolve() };
  await beforeStep('sync_slice');
  // The disk works on this file while the engine works on the next; whoever awaits it later sees a failure.
  const synced = syncFile(path);
  synced.catch(() => undefined);
  return { table, slice, path, file: { path: place, rows, bytes }, synced };
}

/** Gives the folders whose names changed. */
async function putInPlace(lake: string, { table, slice, path, file }: Draft, beforeStep: (step: LakeStep) => unknown): Promise<string[]> {
  const tableFolder = join(lake, table.name);
  const folder = join(lake, sliceFolder(table, slice));
  await beforeStep('make_folder');
  await makeFolder(file === undefined ? tableFolder : folder);
  if (file === undefined) {
    await beforeStep('remove_slice');
    await rm(table.divided === 'whole' ? join(lake, slicePath(table, slice)) : folder, { recursive: true, force: true });
    await rm(path, { force: true });
    return [lake, tableFolder];
  }
  await beforeStep('replace_slice');
  await rename(path, join(lake, file.path));
  return [lake, tableFolder, folder];
}
