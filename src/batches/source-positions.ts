import type { Engine } from '../engines/engine.ts';

/** A batch leaves a row for each feed of a source that goes on; only the furthest says how far it is taken. */
export async function dropOldPositions(engine: Engine): Promise<void> {
  await engine.run(
    `delete from store.source_positions p where exists (
       select 1 from (select source, feed, max(batch_id) as batch_id, max(next_entry) as next_entry, max(next_record) as next_record
                      from store.source_positions group by source, feed) furthest
       where furthest.source = p.source and furthest.feed = p.feed and furthest.batch_id > p.batch_id
         and furthest.next_entry >= p.next_entry and furthest.next_record >= p.next_record)`,
  );
}
