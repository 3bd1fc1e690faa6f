import { type DuckDBConnection, DuckDBTypeId, ResultReturnType } from '@duckdb/node-api';
import type { EngineRow, EngineValue } from '../engine.ts';
import { engineFailure } from './failures.ts';
import { toDuckDbValue, toEngineValue } from './values.ts';

/** A connection and what is run on it, one statement at a time: its transaction, its variables and its temporary views are its own. */
export class Session {
  readonly connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.connection = connection;
  }

  async run(sql: string, values?: readonly EngineValue[]): Promise<number> {
    try {
      const result = await this.connection.run(sql, values?.map(toDuckDbValue));
      if (result.returnType === ResultReturnType.CHANGED_ROWS) return result.rowsChanged;
      // CREATE TABLE AS gives its count as a row.
      const [row] = result.columnCount === 1 && result.columnTypeId(0) === DuckDBTypeId.BIGINT ? await result.getRows() : [];
      return Number(row?.[0] ?? 0);
    } catch (cause) {
      throw engineFailure(cause, sql);
    }
  }

  async rows<Row extends EngineRow = EngineRow>(sql: string, parameters: Readonly<Record<string, EngineValue>> = {}): Promise<Row[]> {
    try {
      const values = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, toDuckDbValue(value)]));
      const reader = await this.connection.runAndReadAll(sql, Object.keys(values).length === 0 ? undefined : values);
      const names = reader.deduplicatedColumnNames();
      return reader.getRows().map((row) => Object.fromEntries(row.map((value, index) => [names[index] as string, toEngineValue(value)])) as Row);
    } catch (cause) {
      throw engineFailure(cause, sql);
    }
  }

  interrupt(): void {
    this.connection.interrupt();
  }

  close(): void {
    this.connection.closeSync();
  }
}
