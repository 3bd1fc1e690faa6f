import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLake } from './check-lake.ts';
import { exportLake } from './export-lake.ts';
import { readManifest } from './lake-manifest.ts';
import type { LakeSource, LakeTable, LakeType } from './lake-source.ts';
import { columnDifference, readFooter } from './parquet-footer.ts';
import { tableStatements } from './table-statements.ts';

/** Every type of the lake, with the values that go wrong first. */
const VALUES: Readonly<Record<LakeType, readonly (readonly [sql: string, json: string | number | boolean])[]>> = {
  varchar: [
    ["'ü 漢 😀'", 'ü 漢 😀'],
    ["''", ''],
  ],
  binary: [
    ["'\\xFF\\x00{'::BLOB", 'ff007b'],
    ["''::BLOB", ''],
  ],
  bigint: [
    ['9223372036854775807', '9223372036854775807'],
    ['-9007199254740993', '-9007199254740993'],
  ],
  double: [
    ['0.1::DOUBLE', 0.1],
    ['-1e300::DOUBLE', -1e300],
  ],
  boolean: [
    ['true', true],
    ['false', false],
  ],
  date: [
    ["DATE '2026-01-05'", '2026-01-05'],
    ["DATE '1969-12-31'", '1969-12-31'],
  ],
  timestamp: [
    ["TIMESTAMP '2026-01-05 23:59:59.999999'", '2026-01-05T23:59:59.999999'],
    ["TIMESTAMP '2000-01-01 00:00:00.000001'", '2000-01-01T00:00:00.000001'],
  ],
};
const TYPES = Object.keys(VALUES) as LakeType[];
const TABLE: LakeTable = { name: 'silver.everything', divided: 'by_day', columns: TYPES.map((type) => ({ name: `a_${type}`, type })) };
const EXPECTED = [0, 1].map((row) => Object.fromEntries(TYPES.map((type) => [`a_${type}`, VALUES[type][row]?.[1]])));
const NULLS = Object.fromEntries(TYPES.map((type) => [`a_${type}`, null]));

let folder: string;
let lake: string;
let duckdb: DuckDBConnection;
const file = (): string => join(lake, 'silver.everything/dt=2026-01-05/part-0.parquet');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'advertisex-readers-'));
  lake = join(folder, 'lake');
  duckdb = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = [0, 1].map((row) => `SELECT ${TYPES.map((type) => `${VALUES[type][row]?.[0]} AS a_${type}`).join(', ')}`);
  await duckdb.run(`CREATE TABLE everything AS ${rows.join(' UNION ALL ')} UNION ALL SELECT ${TYPES.map(() => 'NULL').join(', ')}`);
  const source: LakeSource = {
    tables: [TABLE],
    position: async () => ({ batch: 1, origin: '' }),
    slicesChangedSince: async () => ['2026-01-05'],
    copySlices: async (_, __, folder) => {
      await duckdb.run(`COPY everything TO '${folder}/all.parquet' (FORMAT parquet, COMPRESSION zstd)`);
      return new Map([['2026-01-05', `${folder}/all.parquet`]]);
    },
    slicesExpiredSince: async () => new Set(),
    rowsBySlice: async () => new Map([['2026-01-05', 3]]),
  };
  await exportLake(source, lake);
  expect((await checkLake(source, lake)).differences).toEqual([]);
});
afterAll(() => {
  duckdb.closeSync();
  rmSync(folder, { recursive: true });
});

describe('a file of the lake', () => {
  it('is zstd', async () => {
    const { row_groups } = await parquetMetadataAsync(await asyncBufferFromFile(file()));
    expect(new Set(row_groups[0]?.columns.map((column) => column.meta_data?.codec))).toEqual(new Set(['ZSTD']));
  });

  it('is read by hyparquet', async () => {
    const rows = await parquetReadObjects({
      file: await asyncBufferFromFile(file()),
      compressors: { ZSTD: (input) => zstdDecompressSync(input) },
      utf8: false,
      parsers: { timestampFromMicroseconds: (micros: bigint) => micros as unknown as Date } as never,
    });
    const plain = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => {
          if (name === 'a_timestamp' && value !== null) return [name, isoOfMicros(value as bigint)];
          if (typeof value === 'bigint') return [name, String(value)];
          if (value instanceof Date) return [name, value.toISOString().slice(0, 10)];
          if (value instanceof Uint8Array) return [name, Buffer.from(value).toString('hex')];
          return [name, value];
        }),
      ),
    );
    expect(plain).toEqual([...EXPECTED, NULLS]);
  });

  it('is read by pyarrow', ({ skip }) => {
    const python = process.env['PYTHON'] ?? 'python3';
    if (spawnSync(python, ['-c', 'import pyarrow.parquet']).status !== 0)
      return skip('Python with pyarrow is not installed here (PYTHON names another interpreter)');
    const program = `
import json, sys, pyarrow.parquet as pq
def plain(v):
    if isinstance(v, bytes): return v.hex()
    if hasattr(v, 'isoformat'): return v.isoformat()
    return str(v) if type(v) is int else v
table = pq.ParquetFile(sys.argv[1]).read()
print(json.dumps({'types': [str(f.type) for f in table.schema], 'rows': [{k: plain(v) for k, v in row.items()} for row in table.to_pylist()]}))`;
    const { stdout, stderr } = spawnSync(python, ['-c', program, file()], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      types: ['string', 'binary', 'int64', 'double', 'bool', 'date32[day]', 'timestamp[us]'],
      rows: [...EXPECTED, NULLS],
    });
    return undefined;
  });

  it('is read through the views that DuckDB is told to make', async () => {
    const manifest = await readManifest(lake);
    for (const statement of tableStatements(manifest ?? { tables: [] }, { dialect: 'duckdb', location: lake })) await duckdb.run(statement);
    const described = await duckdb.runAndReadAll('DESCRIBE silver.everything');
    expect(described.getRowObjectsJS().map((row) => row['column_type'])).toEqual([
      'VARCHAR',
      'BLOB',
      'BIGINT',
      'DOUBLE',
      'BOOLEAN',
      'DATE',
      'TIMESTAMP',
      'DATE',
    ]);
    const difference = await duckdb.runAndReadAll(`(SELECT * EXCLUDE dt FROM silver.everything) EXCEPT ALL FROM everything`);
    expect(difference.getRows()).toEqual([]);
    const days = await duckdb.runAndReadAll('SELECT dt::VARCHAR, count(*)::INTEGER FROM silver.everything GROUP BY dt');
    expect(days.getRows()).toEqual([['2026-01-05', 3]]);
  });
});

describe('readFooter', () => {
  it.each([
    ["'00000000-0000-0000-0000-000000000001'::UUID", 'FIXED_LEN_BYTE_ARRAY'],
    ['1::HUGEINT', 'parquet DOUBLE'],
    ['1::UBIGINT', 'UINT_64'],
    ['1::INTEGER', 'INT_32'],
    ['1.5::DECIMAL(18, 2)', 'DECIMAL'],
    ['now()', 'TIMESTAMP'],
    ["TIMESTAMP_NS '2026-01-01 00:00:00'", 'TIMESTAMP'],
    ['[1]', 'group'],
    ["TIME '00:00:00'", 'TIME'],
  ])('says that %s is no type of the lake', async (value, type) => {
    const path = join(folder, 'other.parquet');
    await duckdb.run(`COPY (SELECT ${value} AS a) TO '${path}' (FORMAT parquet)`);
    const footer = await readFooter(path);
    // DuckDB writes a HUGEINT as a rounded DOUBLE: only the declared type can tell that.
    if (type === 'parquet DOUBLE') expect(footer.columns[0]?.type).toBe('double');
    else expect(footer.columns[0]?.type).toMatch(new RegExp(`^parquet .*${type}`));
    for (const lakeType of TYPES) if (lakeType !== 'double') expect(columnDifference(footer, [{ name: 'a', type: lakeType }])).toContain('column 1 is a');
  });
});

function isoOfMicros(micros: bigint): string {
  const millis = new Date(Number(micros / 1000n)).toISOString().slice(0, -1);
  return `${millis}${String(micros % 1000n).padStart(3, '0')}`;
}
