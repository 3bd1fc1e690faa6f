import { FEEDS, type Feed } from '../../domain/feeds.ts';
import type { Instance } from '../instance.ts';

/** What the tables call the source of records that came to the collector. */
export const COLLECTOR_SOURCE = 'http';

/** How far the tables have the collector's log, by feed. A feed that nothing came for yet is at 0. */
export interface LogPositions {
  readonly nextEntries: ReadonlyMap<Feed, number>;
  readonly nextRecords: ReadonlyMap<Feed, number>;
}

export async function logPositions({ engine, batches }: Instance, source: string): Promise<LogPositions> {
  const rows = await batches.alone(() =>
    engine.rows<{ feed: Feed; next_entry: bigint; next_record: bigint }>(
      'select feed, max(next_entry) as next_entry, max(next_record) as next_record from store.source_positions where source = $source group by feed',
      { source },
    ),
  );
  return {
    nextEntries: new Map(rows.map((row) => [row.feed, Number(row.next_entry)])),
    nextRecords: new Map(rows.map((row) => [row.feed, Number(row.next_record)])),
  };
}

/** Behind the last entry that any feed was committed with: the log has given out at least so many numbers. */
export function committedUpTo({ nextEntries }: LogPositions): number {
  return Math.max(0, ...nextEntries.values());
}

/** The first entry that may not be committed. */
export function firstToRead({ nextEntries }: LogPositions): number {
  return Math.min(...FEEDS.map((feed) => nextEntries.get(feed) ?? 0));
}
