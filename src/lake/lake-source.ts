/**
 * What the lake is made from: the tables of an engine. An adapter answers as of one batch, the one that `position` gave last:
 * what later batches did is left out, so that an export that runs beside them is one consistent state.
 */
export interface LakeSource {
  readonly tables: readonly LakeTable[];
  position(): Promise<LakePosition>;
  /**
   * Slices whose rows may differ from what they were at batch `since`, those that have lost all their rows included. May name
   * too many, never too few. `since` null: every slice that has rows.
   */
  slicesChangedSince(table: LakeTable, since: number | null): Promise<readonly LakeSlice[]>;
  /** Slices of which rows were removed for their age after batch `since`: how many there were before, nobody can tell any more. */
  slicesExpiredSince(table: LakeTable, since: number): Promise<ReadonlySet<LakeSlice>>;
  /**
   * Writes the rows of slices to new Parquet files below an empty folder, one a slice, and says where each is: zstd, exactly the
   * columns of the table in their order and types. A slice without rows has no file, or one without rows. It is asked for several
   * tables, or parts of one, at the same time.
   */
  copySlices(table: LakeTable, slices: readonly LakeSlice[], folder: string): Promise<ReadonlyMap<LakeSlice, string>>;
  /** How many rows each slice had at batch `asOf`; slices without rows are left out. */
  rowsBySlice(table: LakeTable, asOf: number): Promise<ReadonlyMap<LakeSlice, number>>;
}

export interface LakePosition {
  /** The last committed batch. */
  readonly batch: number;
  /** Another one whenever the tables were made anew, so that batch numbers mean other things than before: all is exported again. */
  readonly origin: string;
}

export interface LakeTable {
  /** `silver.impressions`: also the name of its folder. */
  readonly name: string;
  readonly columns: readonly LakeColumn[];
  /** `by_day`: a folder `dt=YYYY-MM-DD` a reporting day. `whole`: one file (reference data, which has no day). */
  readonly divided: 'by_day' | 'whole';
}

export interface LakeColumn {
  readonly name: string;
  readonly type: LakeType;
}

/**
 * The types that Trino, Presto, Hive, Spark, Athena and Redshift Spectrum all read alike. Keys are varchar of 32 hex digits:
 * a UUID reads as garbage in some, a HUGEINT as a rounded double, and unsigned types fail.
 */
export const LAKE_TYPES = ['varchar', 'binary', 'bigint', 'double', 'boolean', 'date', 'timestamp'] as const;
export type LakeType = (typeof LAKE_TYPES)[number];

/** A reporting day as `YYYY-MM-DD`, or `whole` for a table that is not divided. */
export type LakeSlice = string;
export const WHOLE: LakeSlice = 'whole';
