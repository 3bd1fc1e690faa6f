import type { AdvertiseXError } from '../../domain/errors.ts';
import type { CellValue, ResultColumn, ResultTable } from '../../domain/result-table.ts';
import type { Engine, EngineReader, EngineRow, EngineValue, ReadStatement } from '../engine.ts';

export interface AskedRows {
  readonly columns: readonly ResultColumn[];
  readonly rows: AsyncGenerator<readonly EngineValue[]>;
}

/**
 * The tables, read through whoever owns them. Each statement sees one committed state; two statements may see two. Nothing can be
 * written.
 */
export abstract class ReadOnlyEngine implements Engine {
  abstract readonly capabilities: Engine['capabilities'];
  readonly dialect = '';
  /** What is read where no batch is named. */
  private readonly latest: number | null;
  private asOf: number | null;

  constructor(latest: number | null = null) {
    this.latest = latest;
    this.asOf = latest;
  }

  protected abstract ask(statement: ReadStatement): Promise<AskedRows>;
  protected abstract refusal(): AdvertiseXError;
  abstract interrupt(): void;
  abstract close(): Promise<void>;

  rows<Row extends EngineRow = EngineRow>(sql: string, parameters: Readonly<Record<string, EngineValue>> = {}): Promise<Row[]> {
    return this.rowsAsOf<Row>(this.asOf, sql, parameters);
  }

  async query(sql: string, parameters: Readonly<Record<string, EngineValue>> = {}): Promise<ResultTable> {
    const { columns, rows } = await this.ask({ sql, parameters, asOf: this.asOf, values: 'cells' });
    return { columns, rows: rows as AsyncGenerator<readonly CellValue[]> };
  }

  async setVariables(variables: Parameters<Engine['setVariables']>[0]): Promise<void> {
    if (variables.batch !== undefined || variables.cause !== undefined) throw this.refusal();
    if (variables.asOf !== undefined) this.asOf = variables.asOf ?? this.latest;
  }

  withReader<T>(asOf: number | null, work: (reader: EngineReader) => Promise<T>): Promise<T> {
    const refuse = (): Promise<never> => this.refuse();
    return work({
      rows: <Row extends EngineRow>(sql: string, parameters: Readonly<Record<string, EngineValue>> = {}) => this.rowsAsOf<Row>(asOf, sql, parameters),
      copyToParquet: refuse,
      copyToParquetByDay: refuse,
      copyArchivedDay: refuse,
    });
  }

  defineMacros(): Promise<never> {
    return this.refuse();
  }

  ensureTables(): Promise<never> {
    return this.refuse();
  }

  transaction(): Promise<never> {
    return this.refuse();
  }

  stage(): Promise<never> {
    return this.refuse();
  }

  run(): Promise<never> {
    return this.refuse();
  }

  append(): Promise<never> {
    return this.refuse();
  }

  removeBefore(): Promise<never> {
    return this.refuse();
  }

  insert(): Promise<never> {
    return this.refuse();
  }

  settle(): Promise<never> {
    return this.refuse();
  }

  unsettledBytes(): Promise<never> {
    return this.refuse();
  }

  private async refuse(): Promise<never> {
    throw this.refusal();
  }

  private async rowsAsOf<Row extends EngineRow>(asOf: number | null, sql: string, parameters: Readonly<Record<string, EngineValue>>): Promise<Row[]> {
    const { columns, rows } = await this.ask({ sql, parameters, asOf, values: 'engine' });
    const all: Row[] = [];
    for await (const row of rows) all.push(Object.fromEntries(row.map((value, index) => [(columns[index] as ResultColumn).name, value])) as Row);
    return all;
  }
}
