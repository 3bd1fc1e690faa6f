import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineReader, EngineRow, EngineValue } from '../engine.ts';
import type { Archive } from './archive.ts';
import type { Session } from './session.ts';
import { PARQUET, quote, text } from './values.ts';

/** On a session that reads as of a batch. */
export class DuckDbReader implements EngineReader {
  private readonly session: Session;
  private readonly archive: Archive | undefined;

  constructor(session: Session, archive: Archive | undefined) {
    this.session = session;
    this.archive = archive;
  }

  rows<Row extends EngineRow = EngineRow>(sql: string, parameters?: Readonly<Record<string, EngineValue>>): Promise<Row[]> {
    return this.session.rows<Row>(sql, parameters);
  }

  async copyToParquet(sql: string, path: string): Promise<void> {
    await this.session.run(`copy (${sql}) to ${text(path)} (${PARQUET})`);
  }

  async copyToParquetByDay(sql: string, day: string, folder: string): Promise<ReadonlyMap<string, string>> {
    await this.session.run(`copy (${sql}) to ${text(folder)} (${PARQUET}, partition_by (${quote(day)}))`);
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    return new Map(files.map(({ parentPath, name }) => [parentPath.slice(-'YYYY-MM-DD'.length), join(parentPath, name)]));
  }

  async copyArchivedDay(table: string, day: string, path: string): Promise<boolean> {
    return (await this.archive?.copyDay(this.session, table, day, path)) ?? false;
  }
}
