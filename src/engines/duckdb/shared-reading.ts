import { type DuckDBConnection, type DuckDBResult, type DuckDBType, StatementType } from '@duckdb/node-api';
import { AdvertiseXError, queryTooLarge, stopReason } from '../../domain/errors.ts';
import type { EngineValue, ReadResult, ReadStatement } from '../engine.ts';
import type { Archive } from './archive.ts';
import { engineFailure, isOutOfMemory } from './failures.ts';
import type { ReadingConnections } from './reading-connections.ts';
import { readingRefusal, requireReading } from './reading-rules.ts';
import { Session } from './session.ts';
import { cellKind, setAsOf, toCellValue, toDuckDbValue, toEngineValue } from './values.ts';

export const INTERRUPT_EVERY_MS = 50;

/** Runs a statement on a connection that nobody else uses; it is given back with the result. */
export async function readStatement(
  connections: ReadingConnections,
  archive: Archive | undefined,
  { sql, parameters, asOf, values }: ReadStatement,
  signal: AbortSignal,
): Promise<ReadResult> {
  // A statement that has not begun yet does not notice that it was interrupted.
  let interrupting: NodeJS.Timeout | undefined;
  let isDone = false;
  let isClosed = false;
  const connection = await connections.take();
  const stop = (): void => {
    connection.interrupt();
    interrupting ??= setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
  };
  const close = (): void => {
    signal.removeEventListener('abort', stop);
    clearInterval(interrupting);
    if (isClosed) return;
    isClosed = true;
    connections.giveBack(connection, isDone && !signal.aborted);
  };
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) throw stopReason(signal);
    await requireReading(connection, sql);
    const session = new Session(connection);
    await beginReading(session, archive, asOf);
    const result = await start(connection, sql, parameters);
    const types = result.columnTypes();
    const columns = result.deduplicatedColumnNames().map((name, index) => ({ name, kind: cellKind(types[index] as DuckDBType) }));
    const toValue = values === 'cells' ? toCellValue : toEngineValue;
    const next = async () => {
      try {
        const chunk = await result.fetchChunk();
        if (signal.aborted) throw stopReason(signal);
        if (chunk !== null && chunk.rowCount > 0) return chunk.getRows().map((row) => row.map(toValue));
        isDone = true;
        return undefined;
      } catch (cause) {
        throw readFailure(cause, signal);
      }
    };
    return { columns, next, close };
  } catch (cause) {
    close();
    throw readFailure(cause, signal);
  }
}

/** From here on until it is closed the session reads one committed state, as of a batch. */
export async function beginReading(session: Session, archive: Archive | undefined, asOf: number | null): Promise<void> {
  // What is looked up first pins the state of the tables: which parts there are, and what is in the database, belong together.
  await session.run(`${setAsOf(asOf)}; begin transaction read only`);
  await archive?.tell(session);
}

async function start(connection: DuckDBConnection, sql: string, parameters: Readonly<Record<string, EngineValue>>): Promise<DuckDBResult> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw readingRefusal('One statement at a time can be run');
  const prepared = await statements.prepare(0);
  if (!READ_STATEMENTS.has(prepared.statementType)) throw readingRefusal('Only queries can be run: SELECT, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN');
  if (Object.keys(parameters).length > 0) prepared.bind(Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, toDuckDbValue(value)])));
  return prepared.stream();
}

const READ_STATEMENTS: ReadonlySet<StatementType> = new Set([StatementType.SELECT, StatementType.EXPLAIN, StatementType.RELATION]);

function readFailure(cause: unknown, signal: AbortSignal): AdvertiseXError {
  if (signal.aborted) return stopReason(signal, cause);
  if (isOutOfMemory(cause)) return queryTooLarge('The query needs more memory than the engine has (limits.memory)', cause);
  if (cause instanceof AdvertiseXError) return cause;
  const failure = engineFailure(cause, 'the query');
  if (failure.code !== 'engine_failed') return failure;
  return new AdvertiseXError(
    'query_invalid',
    `The query cannot be run: ${(cause as Error).message}`,
    'Correct the query; `advertisex query "show all tables"` lists the tables.',
    cause,
  );
}
