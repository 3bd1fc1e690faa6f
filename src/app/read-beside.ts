import type { CellValue } from '../domain/result-table.ts';
import type { Engine, EngineReader, EngineRow, EngineValue, ReadResult, ReadStatement, SharedEngine } from '../engines/engine.ts';

/**
 * Reads the tables of an engine beside the batches that it applies. Each statement sees one committed state; two statements may see two. Once
 * the signal is aborted, what runs is stopped, and throws `interrupted`.
 */
export function readBeside(engine: SharedEngine, signal: AbortSignal): Pick<Engine, 'rows' | 'query' | 'withReader'> {
  const rows = async <Row extends EngineRow>(sql: string, parameters: Readonly<Record<string, EngineValue>>, asOf: number | null): Promise<Row[]> => {
    const result = await engine.read({ sql, parameters, asOf, values: 'engine' }, signal);
    const all: Row[] = [];
    for await (const row of rowsOf(result)) all.push(Object.fromEntries(row.map((value, index) => [result.columns[index]?.name, value])) as Row);
    return all;
  };
  return {
    rows: <Row extends EngineRow = EngineRow>(sql: string, parameters = {}) => rows<Row>(sql, parameters, null),
    query: async (sql) => {
      const statement: ReadStatement = { sql, parameters: {}, asOf: null, values: 'cells' };
      const result = await engine.read(statement, signal);
      return { columns: result.columns, rows: rowsOf(result) as AsyncGenerator<readonly CellValue[]> };
    },
    withReader: (asOf, work) => {
      const refuse: () => Promise<never> = () => Promise.reject(new TypeError('Files are written by the engine itself, between batches'));
      const reader: EngineReader = {
        rows: <Row extends EngineRow = EngineRow>(sql: string, parameters = {}) => rows<Row>(sql, parameters, asOf),
        copyToParquet: refuse,
        copyToParquetByDay: refuse,
        copyArchivedDay: refuse,
      };
      return work(reader);
    },
  };
}

async function* rowsOf(result: ReadResult): AsyncGenerator<readonly EngineValue[]> {
  try {
    for (let rows = await result.next(); rows !== undefined; rows = await result.next()) yield* rows;
  } finally {
    result.close();
  }
}
