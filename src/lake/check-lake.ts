import { join } from 'node:path';
import { reportingFailures } from './lake-failure.ts';
import { listTable } from './lake-layout.ts';
import { type LakeManifest, readManifest } from './lake-manifest.ts';
import type { LakeColumn, LakePosition, LakeSlice, LakeSource, LakeTable } from './lake-source.ts';
import { columnDifference, readFooter } from './parquet-footer.ts';

/** Rows in the lake's files = rows in the tables, per table and day (SEMANTICS §10, equation 7). */
export interface LakeCheck {
  /** The earliest batch that a table of the lake is as of; undefined where nothing was ever exported. */
  readonly batch: number | undefined;
  /** Committed batches that the lake does not show yet. Not a fault: the next export brings them. */
  readonly batchesBehind: number;
  readonly slicesChecked: number;
  readonly differences: readonly LakeDifference[];
}

export interface LakeDifference {
  readonly table: string;
  readonly slice: LakeSlice;
  readonly rowsInTable: number;
  /** Of the files that can be read. */
  readonly rowsInLake: number;
  readonly files: readonly string[];
  /** A sentence that says what is wrong. */
  readonly problem: string;
}

/**
 * Reads the footer of every file that another engine would read, whether or not the manifest knows it, and compares with the
 * tables as they were at the batch of the lake. What an export puts in place meanwhile, or did not finish, is left to the next one.
 */
export async function checkLake(source: LakeSource, lake: string): Promise<LakeCheck> {
  return reportingFailures(lake, async () => {
    let state = await readState(source, lake);
    const differences: LakeDifference[] = [];
    let slicesChecked = 0;
    const batches: number[] = [];
    for (const table of state.manifest === undefined ? [] : source.tables) {
      for (;;) {
        const said = saidOf(state, table);
        const checked = await checkTable(source, lake, table, said);
        if (checked.differences.length > 0) {
          // An export may have gone on since: then it is compared with what is said now.
          state = await readState(source, lake);
          if (!isSame(saidOf(state, table), said)) continue;
        }
        batches.push(said.batch);
        slicesChecked += checked.slices;
        differences.push(...checked.differences);
        break;
      }
    }
    const batch = batches.length === 0 ? undefined : Math.min(...batches);
    return { batch, batchesBehind: state.position.batch - (batch ?? 0), slicesChecked, differences };
  });
}

interface LakeState {
  readonly manifest: LakeManifest | undefined;
  readonly position: LakePosition;
}

async function readState(source: LakeSource, lake: string): Promise<LakeState> {
  const manifest = await readManifest(lake);
  return { manifest, position: await source.position() };
}

/** What the lake says of a table. */
interface SaidOfTable {
  /** 0: nothing, or nothing of these tables. */
  readonly batch: number;
  /** What it is compared with. */
  readonly asOf: number;
  readonly columns: readonly LakeColumn[];
  /** Slices that may be newer; all: nothing is known of the others either. */
  readonly writing: readonly LakeSlice[] | 'all';
}

function saidOf({ manifest, position }: LakeState, table: LakeTable): SaidOfTable {
  const isOfThese = manifest?.origin === position.origin;
  const entry = manifest?.tables.find(({ name }) => name === table.name);
  const writing = isOfThese ? manifest.writing?.[table.name] : undefined;
  // Columns that the table has gained since come with the next export, like batches.
  if (isOfThese && entry !== undefined && entry.batch <= position.batch)
    return { batch: entry.batch, asOf: entry.batch, columns: entry.columns, writing: writing ?? [] };
  return { batch: 0, asOf: position.batch, columns: table.columns, writing: writing === undefined ? [] : 'all' };
}

/** Whether no export has changed it. */
function isSame(a: SaidOfTable, b: SaidOfTable): boolean {
  return a.batch === b.batch && JSON.stringify(a.writing) === JSON.stringify(b.writing);
}

async function checkTable(source: LakeSource, lake: string, table: LakeTable, { asOf, columns, writing }: SaidOfTable) {
  const { files, strays } = await listTable(lake, table);
  const differences: LakeDifference[] = strays.map((path) => ({
    table: table.name,
    slice: '',
    rowsInTable: 0,
    rowsInLake: 0,
    files: [path],
    problem: `${path} is not part of the lake, and engines that read the folder trip over it; \`advertisex lake compact\` removes it`,
  }));
  if (writing === 'all') return { slices: 0, differences };
  const expected = await source.rowsBySlice(table, asOf);
  // Like batches, they go with the next export.
  const left = new Set([...(await source.slicesExpiredSince(table, asOf)), ...writing]);
  const slices = [...new Set([...expected.keys(), ...files.keys()])].filter((slice) => !left.has(slice)).sort();
  for (const slice of slices) {
    const paths = files.get(slice) ?? [];
    const rowsInTable = expected.get(slice) ?? 0;
    const { rows, problems } = await readSlice(lake, columns, paths);
    if (problems.length === 0 && rows !== rowsInTable) {
      problems.push(`The lake has ${rows} rows and the table has ${rowsInTable}; \`advertisex lake compact\` writes the lake again`);
    }
    if (problems.length > 0) differences.push({ table: table.name, slice, rowsInTable, rowsInLake: rows, files: paths, problem: problems.join('; ') });
  }
  return { slices: slices.length, differences };
}

async function readSlice(lake: string, columns: readonly LakeColumn[], paths: readonly string[]) {
  const problems: string[] = [];
  let rows = 0;
  for (const path of paths) {
    try {
      const footer = await readFooter(join(lake, path));
      rows += footer.rows;
      const difference = columnDifference(footer, columns);
      if (difference !== undefined) problems.push(`${path} has other columns than the table had: ${difference}; \`advertisex lake compact\` writes it again`);
    } catch (error) {
      problems.push(`${path} cannot be read (${(error as Error).message}); \`advertisex lake compact\` writes it again`);
    }
  }
  return { rows, problems };
}
