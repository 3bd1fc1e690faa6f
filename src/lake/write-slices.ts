import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AdvertiseXError } from '../domain/errors.ts';
import { makeFolder, syncFile, syncFolder } from './durable-files.ts';
import { sliceFolder, slicePath } from './lake-layout.ts';
import type { LakeSlice, LakeSource, LakeTable } from './lake-source.ts';
import { columnDifference, readFooter } from './parquet-footer.ts';

/** What an export does to the disk, in the order it does it with a slice; while some slices are put in place, others are copied. */
export type LakeStep =
  | 'clear_writing'
  | 'copy_slices'
  | 'sync_slice'
  | 'make_folder'
  | 'replace_slice'
  | 'remove_slice'
  | 'sync_folders'
  | 'write_manifest'
  | 'replace_manifest'
  | 'remove_writing';

/** Slices of a table that are asked of it in one go: what a statement costs, it costs once. */
export interface SlicesToWrite {
  readonly table: LakeTable;
  readonly slices: readonly LakeSlice[];
}

export interface WrittenSlice {
  readonly table: LakeTable;
  readonly slice: LakeSlice;
  /** Undefined: it has no rows, and no file any more. */
  readonly file: { readonly path: string; readonly rows: number; readonly bytes: number } | undefined;
}

/** A slice that is written aside. */
export interface Draft extends WrittenSlice {
  /** Where it is; a slice without rows need not be anywhere. */
  readonly path: string | undefined;
  readonly synced: Promise<void>;
}

/** Writes slices aside, into a new folder. */
export async function writeDrafts(
  source: LakeSource,
  folder: string,
  { table, slices }: SlicesToWrite,
  beforeStep: (step: LakeStep) => unknown,
): Promise<Draft[]> {
  const places = slices.map((slice) => slicePath(table, slice));
  await beforeStep('copy_slices');
  await makeFolder(folder);
  const copies = await source.copySlices(table, slices, folder);
  const drafts: Draft[] = [];
  for (const [index, slice] of slices.entries()) drafts.push(await checkDraft(table, slice, places[index] as string, copies.get(slice), beforeStep));
  return drafts;
}

/** Waits until what is written aside is safe on disk, and puts each slice in its place by one rename. */
export async function placeDrafts(lake: string, drafts: readonly Draft[], beforeStep: (step: LakeStep) => unknown): Promise<WrittenSlice[]> {
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
async function checkDraft(
  table: LakeTable,
  slice: LakeSlice,
  place: string,
  path: string | undefined,
  beforeStep: (step: LakeStep) => unknown,
): Promise<Draft> {
  const nothing = { table, slice, path, file: undefined, synced: Promise.resolve() };
  if (path === undefined) return nothing;
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
  if (rows === 0) return nothing;
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
  if (path === undefined || file === undefined) {
    await beforeStep('remove_slice');
    await rm(table.divided === 'whole' ? join(lake, slicePath(table, slice)) : folder, { recursive: true, force: true });
    if (path !== undefined) await rm(path, { force: true });
    return [lake, tableFolder];
  }
  await beforeStep('replace_slice');
  await rename(path, join(lake, file.path));
  return [lake, tableFolder, folder];
}
