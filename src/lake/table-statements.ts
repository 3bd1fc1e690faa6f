import type { LakeManifest, ManifestTable } from './lake-manifest.ts';
import type { LakeType } from './lake-source.ts';

/** Engines that the lake can be declared to. `redshift` is Redshift Spectrum with an external schema. */
export const LAKE_DIALECTS = ['trino', 'hive', 'spark', 'athena', 'redshift', 'duckdb'] as const;
export type LakeDialect = (typeof LAKE_DIALECTS)[number];

export interface StatementOptions {
  readonly dialect: LakeDialect;
  /** Where the engine finds the lake: `s3://bucket/lake`, `file:///srv/advertisex/lake`; for DuckDB a path. */
  readonly location: string;
  /** Trino: the catalog of the Hive connector. */
  readonly catalog?: string;
}

/** The statements that make the tables of a lake known to an engine, for it to run in this order. Running them again does no harm. */
export function tableStatements(manifest: Pick<LakeManifest, 'tables'>, options: StatementOptions): string[] {
  const location = options.location.replace(/\/+$/, '');
  const schemas = [...new Set(manifest.tables.map(({ name }) => schemaOf(name)))];
  const { catalog = 'hive', dialect } = options;
  const describe = DESCRIBERS[dialect];
  return [
    ...schemas.map((schema) => SCHEMA_STATEMENTS[dialect](schema, catalog)),
    ...manifest.tables.flatMap((table) => describe({ table, location: `${location}/${table.name}`, catalog })),
  ];
}

interface Declared {
  readonly table: ManifestTable;
  readonly location: string;
  readonly catalog: string;
}

const SCHEMA_STATEMENTS: Readonly<Record<LakeDialect, (schema: string, catalog: string) => string>> = {
  trino: (schema, catalog) => `CREATE SCHEMA IF NOT EXISTS ${catalog}.${schema}`,
  hive: (schema) => `CREATE DATABASE IF NOT EXISTS \`${schema}\``,
  spark: (schema) => `CREATE SCHEMA IF NOT EXISTS \`${schema}\``,
  athena: (schema) => `CREATE DATABASE IF NOT EXISTS \`${schema}\``,
  redshift: (schema) =>
    `CREATE EXTERNAL SCHEMA IF NOT EXISTS ${schema} FROM DATA CATALOG DATABASE '${schema}' IAM_ROLE default CREATE EXTERNAL DATABASE IF NOT EXISTS`,
  duckdb: (schema) => `CREATE SCHEMA IF NOT EXISTS ${schema}`,
};

const DESCRIBERS: Readonly<Record<LakeDialect, (declared: Declared) => string[]>> = {
  trino: ({ table, location, catalog }) => {
    const columns = [...columnLines(table, TRINO_TYPES, '"'), ...(byDay(table) ? ['  dt date'] : [])];
    const partitioned = byDay(table) ? ", partitioned_by = ARRAY['dt']" : '';
    const create = `CREATE TABLE IF NOT EXISTS ${catalog}.${table.name} (\n${columns.join(',\n')}\n) WITH (external_location = '${location}', format = 'PARQUET'${partitioned})`;
    const [schema, name] = table.name.split('.');
    return byDay(table) ? [create, `CALL ${catalog}.system.sync_partition_metadata('${schema}', '${name}', 'FULL')`] : [create];
  },
  hive: ({ table, location }) => {
    const create = `CREATE EXTERNAL TABLE IF NOT EXISTS ${backticked(table.name)} (\n${columnLines(table, HIVE_TYPES, '`').join(',\n')}\n)${hivePartition(table)} STORED AS PARQUET LOCATION '${location}'`;
    return byDay(table) ? [create, `MSCK REPAIR TABLE ${backticked(table.name)} SYNC PARTITIONS`] : [create];
  },
  spark: ({ table, location }) => {
    const columns = [...columnLines(table, SPARK_TYPES, '`'), ...(byDay(table) ? ['  `dt` DATE'] : [])];
    const partitioned = byDay(table) ? ' PARTITIONED BY (`dt`)' : '';
    const create = `CREATE TABLE IF NOT EXISTS ${backticked(table.name)} (\n${columns.join(',\n')}\n) USING parquet${partitioned} LOCATION '${location}'`;
    return byDay(table) ? [create, `MSCK REPAIR TABLE ${backticked(table.name)} SYNC PARTITIONS`] : [create];
  },
  athena: ({ table, location }) => {
    const create = `CREATE EXTERNAL TABLE IF NOT EXISTS ${backticked(table.name)} (\n${columnLines(table, HIVE_TYPES, '`').join(',\n')}\n)${hivePartition(table)} STORED AS PARQUET LOCATION '${location}/'`;
    // Athena works the days out from this, so that new ones need no statement.
    const projection = `'projection.enabled' = 'true', 'projection.dt.type' = 'date', 'projection.dt.format' = 'yyyy-MM-dd', 'projection.dt.range' = '2000-01-01,NOW+1DAYS', 'storage.location.template' = '${location}/dt=\${dt}'`;
    return [byDay(table) ? `${create} TBLPROPERTIES (${projection})` : create];
  },
  redshift: ({ table, location }) => {
    const partitioned = byDay(table) ? ' PARTITIONED BY (dt date)' : '';
    const create = `CREATE EXTERNAL TABLE ${table.name} (\n${columnLines(table, REDSHIFT_TYPES, '"').join(',\n')}\n)${partitioned} STORED AS PARQUET LOCATION '${location}/'`;
    if (!byDay(table)) return [create];
    const partitions = table.files.map(({ slice }) => `PARTITION (dt = '${slice}') LOCATION '${location}/dt=${slice}/'`);
    // One statement takes at most 100.
    const statements: string[] = [create];
    for (let from = 0; from < partitions.length; from += 100) {
      statements.push(`ALTER TABLE ${table.name} ADD IF NOT EXISTS ${partitions.slice(from, from + 100).join(' ')}`);
    }
    return statements;
  },
  duckdb: ({ table, location }) => [
    `CREATE OR REPLACE VIEW ${table.name} AS SELECT * FROM read_parquet('${location}/${byDay(table) ? "*/part-*.parquet', hive_partitioning = true, hive_types = {'dt': DATE}" : "part-*.parquet'"})`,
  ],
};

function byDay(table: ManifestTable): boolean {
  return table.divided === 'by_day';
}

function schemaOf(name: string): string {
  return name.slice(0, name.indexOf('.'));
}

/** Columns named like words of the language (`hour`, `position`, `source`) are why all of them are quoted. */
function columnLines(table: ManifestTable, types: Readonly<Record<LakeType, string>>, quote: string): string[] {
  return table.columns.map(({ name, type }) => `  ${quote}${name}${quote} ${types[type]}`);
}

function backticked(name: string): string {
  return name
    .split('.')
    .map((part) => `\`${part}\``)
    .join('.');
}

function hivePartition(table: ManifestTable): string {
  return byDay(table) ? ' PARTITIONED BY (`dt` DATE)' : '';
}

/** The connector must be set to `hive.timestamp-precision=MICROSECONDS`: its own default cuts times to milliseconds, and refuses this type. */
const TRINO_TYPES: Readonly<Record<LakeType, string>> = {
  varchar: 'varchar',
  binary: 'varbinary',
  bigint: 'bigint',
  double: 'double',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp(6)',
};
const HIVE_TYPES: Readonly<Record<LakeType, string>> = {
  varchar: 'STRING',
  binary: 'BINARY',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
};
/** Times without a zone, as the files have them: TIMESTAMP would shift them by the session's zone. */
const SPARK_TYPES: Readonly<Record<LakeType, string>> = { ...HIVE_TYPES, timestamp: 'TIMESTAMP_NTZ' };
const REDSHIFT_TYPES: Readonly<Record<LakeType, string>> = {
  varchar: 'varchar(65535)',
  binary: 'varbyte(1024000)',
  bigint: 'bigint',
  double: 'double precision',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
};
