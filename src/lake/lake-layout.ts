import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type LakeSlice, type LakeTable, WHOLE } from './lake-source.ts';

/**
 *     lake/_manifest.json
 *     lake/_writing/                                  what is not ready; empty between exports
 *     lake/silver.impressions/dt=2026-01-05/part-0.parquet
 *     lake/ref.campaigns/part-0.parquet               a table that is not divided
 *
 * Hive, Trino, Presto, Spark and Athena take every file in a table's folder for data, but for names that start with `_` or `.`.
 */
export const MANIFEST_FILE = '_manifest.json';
export const WRITING_FOLDER = '_writing';
export const PART_FILE = 'part-0.parquet';

/** Folder of a slice, relative to the lake. */
export function sliceFolder(table: Pick<LakeTable, 'name' | 'divided'>, slice: LakeSlice): string {
  if (!isSliceOf(table, slice)) throw new RangeError(`${slice} is no slice of ${table.name}, which is divided ${table.divided}`);
  return table.divided === 'whole' ? table.name : `${table.name}/dt=${slice}`;
}

export function slicePath(table: Pick<LakeTable, 'name' | 'divided'>, slice: LakeSlice): string {
  return `${sliceFolder(table, slice)}/${PART_FILE}`;
}

function isSliceOf(table: Pick<LakeTable, 'divided'>, slice: LakeSlice): boolean {
  return table.divided === 'whole' ? slice === WHOLE : /^\d{4}-\d\d-\d\d$/.test(slice);
}

/** Whether engines that read the folder would take it for data. */
export function isVisible(name: string): boolean {
  return !name.startsWith('_') && !name.startsWith('.');
}

/** The files of a table that an engine would read, by slice, as paths relative to the lake; and what no engine could place. */
export async function listTable(lake: string, table: LakeTable): Promise<{ files: Map<LakeSlice, string[]>; strays: string[] }> {
  const files = new Map<LakeSlice, string[]>();
  const strays: string[] = [];
  for (const entry of await entriesOf(join(lake, table.name))) {
    if (!isVisible(entry.name)) continue;
    const path = `${table.name}/${entry.name}`;
    if (table.divided === 'whole') {
      if (entry.isDirectory()) strays.push(path);
      else files.set(WHOLE, [...(files.get(WHOLE) ?? []), path]);
      continue;
    }
    const slice = entry.name.startsWith('dt=') ? entry.name.slice(3) : '';
    if (!entry.isDirectory() || !isSliceOf(table, slice)) {
      strays.push(path);
      continue;
    }
    const parts = (await entriesOf(join(lake, path))).map(({ name }) => name).filter(isVisible);
    files.set(
      slice,
      parts.map((name) => `${path}/${name}`),
    );
  }
  return { files, strays };
}

async function entriesOf(folder: string) {
  try {
    return (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
