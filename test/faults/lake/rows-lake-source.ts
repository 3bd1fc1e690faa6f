import { type LakePosition, type LakeSlice, type LakeSource, type LakeTable, WHOLE } from '../../../src/lake/lake-source.ts';
import { SegmentWriter, type StagedColumn } from '../../../src/staging/segment-writer.ts';

export const CLICKS: LakeTable = {
  name: 'silver.clicks',
  divided: 'by_day',
  columns: [
    { name: 'user_id', type: 'varchar' },
    { name: 'position', type: 'bigint' },
  ],
};
export const CAMPAIGNS: LakeTable = {
  name: 'ref.campaigns',
  divided: 'whole',
  columns: [
    { name: 'user_id', type: 'varchar' },
    { name: 'position', type: 'bigint' },
  ],
};

/** A row that holds from batch `since` until batch `until`. */
export interface VersionedRow {
  readonly slice: LakeSlice;
  readonly value: string;
  readonly since: number;
  readonly until?: number;
}

/** Tables held in memory, with every state they ever had: what the lake is compared with. */
export class RowsLakeSource implements LakeSource {
  tables: readonly LakeTable[];
  readonly rows: Map<string, VersionedRow[]>;
  batch = 0;
  origin = 'first';
  /** `table slice` of every copy since the last look. */
  copies: string[] = [];

  constructor(rows: Readonly<Record<string, readonly VersionedRow[]>>, tables: readonly LakeTable[] = [CLICKS, CAMPAIGNS]) {
    this.tables = tables;
    this.rows = new Map(tables.map(({ name }) => [name, [...(rows[name] ?? [])]]));
  }

  async position(): Promise<LakePosition> {
    return { batch: this.batch, origin: this.origin };
  }

  async slicesChangedSince(table: LakeTable, since: number | null): Promise<LakeSlice[]> {
    const changed = this.rowsOf(table).filter(({ since: first, until = Number.POSITIVE_INFINITY }) => {
      if (since === null) return first <= this.batch && until > this.batch;
      return (first > since && first <= this.batch) || (until > since && until <= this.batch);
    });
    return [...new Set(changed.map(({ slice }) => slice))];
  }

  async copySlices(table: LakeTable, slices: readonly LakeSlice[], folder: string): Promise<Map<LakeSlice, string>> {
    return new Map(slices.map((slice) => [slice, this.copySlice(table, slice, `${folder}/${slice}.parquet`)]));
  }

  private copySlice(table: LakeTable, slice: LakeSlice, path: string): string {
    this.copies.push(`${table.name} ${slice}`);
    const columns: StagedColumn[] = table.columns.map(({ name, type }) => ({ name, type: type === 'varchar' ? 'utf8' : 'int64' }));
    const writer = new SegmentWriter(columns);
    for (const [position, value] of this.values(table, slice, this.batch).entries()) {
      const bytes = Buffer.from(value);
      for (const { name, type } of columns) {
        if (type === 'utf8') writer.column(name).appendText(bytes, 0, bytes.length);
        else writer.column(name).appendNumber(position);
      }
    }
    writer.writeTo(path);
    return path;
  }

  async slicesExpiredSince(): Promise<ReadonlySet<LakeSlice>> {
    return new Set();
  }

  async rowsBySlice(table: LakeTable, asOf: number): Promise<Map<LakeSlice, number>> {
    return new Map(this.slices(table, asOf).map((slice) => [slice, this.values(table, slice, asOf).length]));
  }

  slices(table: LakeTable, asOf: number): LakeSlice[] {
    return [...new Set(this.rowsOf(table).map(({ slice }) => slice))].filter((slice) => this.values(table, slice, asOf).length > 0).sort();
  }

  values(table: LakeTable, slice: LakeSlice, asOf: number): string[] {
    return this.rowsOf(table)
      .filter((row) => row.slice === slice && row.since <= asOf && (row.until ?? Number.POSITIVE_INFINITY) > asOf)
      .map(({ value }) => value)
      .sort();
  }

  private rowsOf(table: LakeTable): VersionedRow[] {
    return this.rows.get(table.name) ?? [];
  }
}

/** Two batches that together do all that can happen to a slice: it comes, stays, grows, changes, loses rows, goes. */
export function twoBatches(): RowsLakeSource {
  return new RowsLakeSource({
    [CLICKS.name]: [
      { slice: '2026-01-01', value: 'stays', since: 1 },
      { slice: '2026-01-02', value: 'grows', since: 1 },
      { slice: '2026-01-02', value: 'grown', since: 2 },
      { slice: '2026-01-03', value: 'is restated', since: 1, until: 2 },
      { slice: '2026-01-03', value: 'was restated', since: 2 },
      { slice: '2026-01-04', value: 'goes', since: 1, until: 2 },
      { slice: '2026-01-05', value: 'comes', since: 2 },
    ],
    [CAMPAIGNS.name]: [
      { slice: WHOLE, value: 'spring', since: 1 },
      { slice: WHOLE, value: 'summer', since: 2 },
    ],
  });
}
