import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, replaceText } from './durable-files.ts';
import { reportingFailures } from './lake-failure.ts';
import { listTable, MANIFEST_FILE, WRITING_FOLDER } from './lake-layout.ts';
import { type LakeManifest, type ManifestFile, type ManifestTable, readManifest, renderManifest } from './lake-manifest.ts';
import type { LakePosition, LakeSlice, LakeSource, LakeTable } from './lake-source.ts';
import { Lanes } from './lanes.ts';
import { type Draft, type LakeStep, placeDrafts, type SlicesToWrite, type WrittenSlice, writeDrafts } from './write-slices.ts';

export interface LakeExportOptions {
  /** Writes every slice again, changed or not. */
  readonly everything?: boolean;
  /** Copies that are made at the same time, where fewer than usual are: other work goes on beside them. */
  readonly copiesAtOnce?: number;
  readonly onProgress?: (progress: LakeProgress) => void;
  /** Called before each change on disk: what it throws breaks the export off there. */
  readonly beforeStep?: (step: LakeStep) => unknown;
}

export interface LakeProgress {
  readonly slicesDone: number;
  readonly slicesToDo: number;
}

export interface LakeExport {
  /** The lake shows the tables as of this batch. */
  readonly batch: number;
  readonly tables: readonly ExportedTable[];
}

export interface ExportedTable {
  readonly name: string;
  /** Slices (days) that were written, and those that have no rows any more. */
  readonly written: number;
  readonly removed: number;
  /** Of the slices written. */
  readonly rows: number;
  readonly bytes: number;
}

/** So many slices of a table are asked for at once: an engine keeps a file open for each. */
const SLICES_A_COPY = 32;
/** So many slices are put in place together, while the next so many are written aside: it bounds the space that old and new take together. */
const SLICES_A_WAVE = 64;
/** So many copies are made at the same time: an engine has phases in which it works on one processor alone. */
const COPIES_AT_ONCE = 2;

/**
 * Brings the lake up to the last committed batch: each slice that changed is written aside, then put in its place by one rename.
 * Whenever it breaks off, each slice is whole, as it was or as it is now, and the next export does the rest.
 */
export async function exportLake(source: LakeSource, lake: string, options: LakeExportOptions = {}): Promise<LakeExport> {
  return reportingFailures(lake, async () => {
    const beforeStep = options.beforeStep ?? (() => undefined);
    const writing = join(lake, WRITING_FOLDER);
    await beforeStep('clear_writing');
    await rm(writing, { recursive: true, force: true });
    await makeFolder(writing);
    try {
      return await writeChanges(source, lake, options, beforeStep);
    } finally {
      await beforeStep('remove_writing');
      // Where it broke off, its failure is what counts; a full disk gets its space back.
      await rm(writing, { recursive: true, force: true }).catch(() => undefined);
    }
  });
}

async function writeChanges(source: LakeSource, lake: string, options: LakeExportOptions, beforeStep: (step: LakeStep) => unknown): Promise<LakeExport> {
  const position = await source.position();
  const plans = await planExport(source, lake, position, options.everything ?? false);
  const slicesToDo = plans.reduce((sum, { slices }) => sum + slices.length, 0);
  let slicesDone = 0;
  let copies = 0;
  const writeAside = async (part: SlicesToWrite): Promise<Draft[]> => {
    const drafts = await writeDrafts(source, join(lake, WRITING_FOLDER, String(copies++)), part, beforeStep);
    slicesDone += part.slices.length;
    options.onProgress?.({ slicesDone, slicesToDo });
    return drafts;
  };
  const writeManifest = async (): Promise<void> => {
    await beforeStep('write_manifest');
    const draft = join(lake, WRITING_FOLDER, MANIFEST_FILE);
    await replaceText(join(lake, MANIFEST_FILE), draft, renderManifest(manifestOf(position, plans)), () => beforeStep('replace_manifest'));
  };
  const lanes = new Lanes(options.copiesAtOnce ?? COPIES_AT_ONCE);
  const begin = (wave: readonly SlicesToWrite[] = []): Promise<Draft[][]> => {
    const drafts = Promise.all(wave.map((part) => lanes.run(() => writeAside(part))));
    // Whoever awaits the wave sees it fail.
    drafts.catch(() => undefined);
    return drafts;
  };
  try {
    const waves = wavesOf(plans);
    let next = begin(waves[0]);
    for (const index of waves.keys()) {
      const current = next;
      next = begin(waves[index + 1]);
      const drafts = (await current).flat();
      // Said beforehand: whoever checks the lake meanwhile does not take what is newer than its table for wrong.
      if (index === 0 && slicesToDo > 0) await writeManifest();
      const written = await placeDrafts(lake, drafts, beforeStep);
      for (const slice of written) plans.find(({ table }) => table === slice.table)?.done.push(slice);
      await writeManifest();
    }
  } catch (error) {
    await lanes.breakOff(error);
    throw error;
  }
  return { batch: position.batch, tables: plans.map(resultOf) };
}

interface TablePlan {
  readonly table: LakeTable;
  /** What the manifest says of the table, where the export only has to bring changes to it. */
  readonly before: ManifestTable | undefined;
  readonly slices: readonly LakeSlice[];
  readonly done: WrittenSlice[];
}

/** At least one wave, be it empty: the manifest says up to which batch the lake holds also where nothing changed. */
function wavesOf(plans: readonly TablePlan[]): SlicesToWrite[][] {
  const waves: SlicesToWrite[][] = [[]];
  let slicesInWave = 0;
  for (const { table, slices } of plans) {
    for (let from = 0; from < slices.length; from += SLICES_A_COPY) {
      const part = slices.slice(from, from + SLICES_A_COPY);
      if (slicesInWave > 0 && slicesInWave + part.length > SLICES_A_WAVE) {
        waves.push([]);
        slicesInWave = 0;
      }
      waves.at(-1)?.push({ table, slices: part });
      slicesInWave += part.length;
    }
  }
  return waves;
}

async function planExport(source: LakeSource, lake: string, position: LakePosition, everything: boolean): Promise<TablePlan[]> {
  const manifest = everything ? undefined : await readManifest(lake);
  const plans: TablePlan[] = [];
  for (const table of source.tables) {
    const entry = manifest?.origin === position.origin ? manifest.tables.find(({ name }) => name === table.name) : undefined;
    const before = entry !== undefined && isUsable(entry, table, position) ? entry : undefined;
    plans.push({ table, before, slices: await slicesToWrite(source, lake, table, before), done: [] });
  }
  return plans;
}

/** What stands in the manifest can be built on if it speaks of the same columns and of no later batch. */
function isUsable(entry: ManifestTable, table: LakeTable, position: LakePosition): boolean {
  return (
    entry.batch <= position.batch &&
    entry.divided === table.divided &&
    entry.columns.length === table.columns.length &&
    table.columns.every(({ name, type }, index) => entry.columns[index]?.name === name && entry.columns[index]?.type === type)
  );
}

async function slicesToWrite(source: LakeSource, lake: string, table: LakeTable, before: ManifestTable | undefined): Promise<LakeSlice[]> {
  const slices = new Set(await source.slicesChangedSince(table, before?.batch ?? null));
  if (before === undefined) {
    // What lies there is of an unknown state: a slice without rows is found to be empty, and goes.
    for (const slice of (await listTable(lake, table)).files.keys()) slices.add(slice);
  } else {
    for (const file of before.files) if (await isDamaged(lake, file)) slices.add(file.slice);
  }
  return [...slices].sort();
}

/** Cheap signs that a file is not the one the manifest means: gone, or of another size. `checkLake` looks inside. */
async function isDamaged(lake: string, file: ManifestFile): Promise<boolean> {
  try {
    return (await stat(join(lake, file.path))).size !== file.bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

/** A table is as of the new batch once all its slices are in place; until then it stays as it was, and is left out if it was not there. */
function manifestOf({ origin, batch }: LakePosition, plans: readonly TablePlan[]): LakeManifest {
  const tables = plans.flatMap(({ table, before, slices, done }) => {
    if (done.length < slices.length) return before ?? [];
    const files = new Map((before?.files ?? []).map((file) => [file.slice, file]));
    for (const { slice, file } of done) {
      if (file === undefined) files.delete(slice);
      else files.set(slice, { slice, ...file, batch });
    }
    const { name, divided } = table;
    const columns = table.columns.map((column) => ({ name: column.name, type: column.type }));
    return { name, batch, divided, columns, files: [...files.values()].sort((a, b) => (a.slice < b.slice ? -1 : 1)) };
  });
  const writing = Object.fromEntries(plans.filter(({ slices, done }) => done.length < slices.length).map(({ table, slices }) => [table.name, [...slices]]));
  return { format: 'advertisex-lake', version: 1, origin, ...(Object.keys(writing).length === 0 ? {} : { writing }), tables };
}

function resultOf({ table, done }: TablePlan): ExportedTable {
  const files = done.flatMap(({ file }) => file ?? []);
  return {
    name: table.name,
    written: files.length,
    removed: done.length - files.length,
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
