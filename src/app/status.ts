import { stat } from 'node:fs/promises';
import type { ResultTable } from '../domain/result-table.ts';
import { readManifest } from '../lake/lake-manifest.ts';
import type { Instance } from './instance.ts';

export interface Status {
  readonly dataDirectory: string;
  readonly databaseBytes: number;
  readonly batches: number;
  readonly lastCommittedAtMicros: bigint | null;
  readonly restatements: number;
  /** Files of which records are left to take: an ingest was stopped. */
  readonly filesInProgress: readonly string[];
  /** Files that were cut or damaged. */
  readonly filesIncomplete: number;
  /** The last batch that the lake shows; null where there is no lake. */
  readonly lakeBatch: number | null;
  /** A row a table of which days were removed for their age (`gold`: of the sums), with the first day that is kept. */
  readonly retention: ResultTable;
  /** A row a feed: outcomes, and the time of its earliest and latest event. */
  readonly feeds: ResultTable;
  /** A row a code, for what is in quarantine now. */
  readonly quarantine: ResultTable;
}

export async function status({ engine, directory }: Instance): Promise<Status> {
  const [books] = await engine.rows<{ batches: bigint; last: bigint | null; restatements: bigint }>(
    'select count(*) as batches, max(committed_at) as last, coalesce(sum(restated), 0)::bigint as restatements from ops.batches',
  );
  const open = await engine.rows<{ path: string }>('select path from ops.files where not done order by path');
  const [cut] = await engine.rows<{ files: bigint }>('select count(*) as files from ops.files where not complete');
  const manifest = await readManifest(directory.lake).catch(() => undefined);
  return {
    dataDirectory: directory.path,
    databaseBytes: (await stat(directory.database)).size,
    batches: Number(books?.batches ?? 0),
    lastCommittedAtMicros: books?.last ?? null,
    restatements: Number(books?.restatements ?? 0),
    filesInProgress: open.map((row) => row.path),
    filesIncomplete: Number(cut?.files ?? 0),
    lakeBatch: manifest === undefined || manifest.tables.length === 0 ? null : Math.min(...manifest.tables.map((table) => table.batch)),
    retention: await engine.query('select table_name, kept_from from ops.retention order by table_name'),
    feeds: await engine.query(
      `select feed, count(distinct source) as sources, sum(received)::bigint as received, sum(accepted)::bigint as accepted, sum(duplicate)::bigint as duplicate, sum(quarantined)::bigint as quarantined
       from ops.ledger group by feed order by feed`,
    ),
    quarantine: await engine.query(
      'select feed, code, count(*) as records from ops.quarantine where replayed_at is null group by feed, code order by records desc, feed, code',
    ),
  };
}
