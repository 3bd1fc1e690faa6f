import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** As many as read at once, as a rule. */
const KEPT = 4;

/**
 * Connections for those who read beside batches. What a connection was told once (which files the archive has) it still knows when it is used again, and telling it is most of what a
 * short query costs.
 */
export class ReadingConnections {
  private readonly instance: DuckDBInstance;
  private readonly idle: DuckDBConnection[] = [];
  /** Transactions that are ended. */
  private readonly ending = new Set<Promise<void>>();
  /** Of those who read at the moment. */
  inUse = 0;

  constructor(instance: DuckDBInstance) {
    this.instance = instance;
  }

  async take(): Promise<DuckDBConnection> {
    const connection = this.idle.pop() ?? (await this.instance.connect());
    this.inUse++;
    return connection;
  }

  /** Of a reader that is done. Only what ended as it should is used again: of anything else nobody knows what is still under way. */
  giveBack(connection: DuckDBConnection, isDone: boolean): void {
    this.inUse--;
    if (!isDone || this.idle.length + this.ending.size >= KEPT) {
      connection.closeSync();
      return;
    }
    const ended = connection.run('rollback').then(
      () => void this.idle.push(connection),
      () => connection.closeSync(),
    );
    this.ending.add(ended);
    ended.finally(() => this.ending.delete(ended));
  }

  /** Once nobody reads any more. */
  async close(): Promise<void> {
    await Promise.all(this.ending);
    for (const connection of this.idle.splice(0)) connection.closeSync();
  }
}
