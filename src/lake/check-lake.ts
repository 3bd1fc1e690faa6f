import { join } from 'node:path';
import { reportingFailures } from './lake-failure.ts';
import { listTable } from './lake-layout.ts';
import { readManifest } from './lake-manifest.ts';
import type { LakeColumn, LakeSlice, LakeSource, LakeTable } from './lake-source.ts';
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
 * tables as they were at the batch of the lake.
 */
export async function checkLake(source: LakeSource, lake: string): Promise<LakeCheck> {
  return reportingFailures(lake, async () => {
    const manifest = await readManifest(lake);
    const { batch: committed, origin } = await source.position();
    const differences: LakeDifference[] = [];
    let slicesChecked = 0;
    const batches: number[] = [];
    for (const table of manifest === undefined ? [] : source.tables) {
      const entry = manifest?.tables.find(({ name }) => name === table.name);
      const known = entry !== undefined && manifest?.origin === origin && entry.batch <= committed;
      const asOf = known ? entry.batch : committed;
      batches.push(known ? entry.batch : 0);
      // Columns that the table has gained since come with the next export, like batches.
      const checked = await checkTable(source, lake, table, known ? entry.columns : table.columns, asOf);
      slicesChecked += checked.slices;
      differences.push(...checked.differences);
    }
    const batch = batches.length === 0 ? undefined : Math.min(...batches);
    return { batch, batchesBehind: committed - (batch ?? 0), slicesChecked, differences };
  });
}

async function checkTable(source: LakeSource, lake: string, table: LakeTable, columns: readonly LakeColumn[], asOf: number) {
  const expected = await source.rowsBySlice(table, asOf);
  const { files, strays } = await listTable(lake, table);
  // Like batches, they go with the next export.
  const expired = await source.slicesExpiredSince(table, asOf);
  const slices = [...new Set([...expected.keys(), ...files.keys()])].filter((slice) => !expired.has(slice)).sort();
  const differences: LakeDifference[] = strays.map((path) => ({
    table: table.name,
    slice: '',
    rowsInTable: 0,
    rowsInLake: 0,
    files: [path],
    problem: `${path} is not part of the lake, and engines that read the folder trip over it; \`advertisex lake compact\` removes it`,
  }));
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
