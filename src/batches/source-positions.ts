import type { Engine } from '../engines/engine.ts';

/** What of a source is not in its archive yet. */
export interface UnarchivedEntries {
  readonly source: string;
  /** The first one. */
  readonly nextEntry: number;
}

/**
 * A batch leaves a row for each feed of a source that goes on; only the furthest says how far it is taken. Those of entries that are still to be
 * archived stay: their records are numbered by them where the log has lost some.
 */
export async function dropOldPositions(engine: Engine, unarchived?: UnarchivedEntries): Promise<void> {
  const isNeeded = unarchived === undefined ? 'false' : `p.source = '${unarchived.source}' and p.next_entry > ${unarchived.nextEntry}`;
  await engine.run(
    `delete from store.source_positions p where not (${isNeeded}) and exists (
       select 1 from (select source, feed, max(batch_id) as batch_id, max(next_entry) as next_entry, max(next_record) as next_record
                      from store.source_positions group by source, feed) furthest
       where furthest.source = p.source and furthest.feed = p.feed and furthest.batch_id > p.batch_id
         and furthest.next_entry >= p.next_entry and furthest.next_record >= p.next_record)`,
  );
}
