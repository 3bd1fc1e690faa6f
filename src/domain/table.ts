/** Types of stored columns; `key` is a 128-bit identity, shown as 32 hex digits, `integers` an array of 32-bit integers. */
export type ColumnType = 'varchar' | 'bigint' | 'timestamp' | 'date' | 'boolean' | 'key' | 'blob' | 'integers';

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** What rows that were stored before the table had the column get there, as an expression; absent: NULL. */
  readonly from?: string;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly TableColumn[];
}
