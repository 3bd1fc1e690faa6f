import { AdvertiseXError } from '../domain/errors.ts';
import type { Engine } from '../engines/engine.ts';
import type { Batch, OutcomeCounts } from './batch.ts';
import { REPLAYS } from './store-tables.ts';

/** They were read before the batch began: what has expired or was replayed since is in the books as that, and has its one outcome. */
export async function requireOpen(engine: Engine, replays: Batch['replays'] = []): Promise<void> {
  if (replays.length === 0) return;
  const [row] = await engine.rows<{ open: bigint }>(
    `select count(distinct q.quarantine_id) as open from store.quarantine q
     where q.quarantine_id in (select cast(asked.id as uuid) from (select unnest(string_split($ids, ' ')) as id) asked)
       and not exists (select 1 from store.replays r where r.quarantine_id = q.quarantine_id)`,
    { ids: replays.join(' ') },
  );
  if (row?.open === BigInt(new Set(replays).size)) return;
  throw new AdvertiseXError(
    'source_changed',
    'Quarantined records expired, or were replayed, while they were read',
    'Run the same command again: those that are left are replayed.',
  );
}

/** A replayed record is done with when it is accepted, or was in the tables already; one that broke a rule again stays open. */
export async function writeReplays(engine: Engine, batch: Batch, batchId: number, nowMicros: number): Promise<void> {
  if (batch.replays === undefined) return;
  // Where a record stands makes its quarantine_id: one that is refused again has the id that it had.
  const refused = await engine.rows<{ quarantine_id: string }>('select quarantine_id from staged_quarantine');
  const broken = new Set(refused.map((row) => row.quarantine_id.replaceAll('-', '')));
  const done = batch.replays.filter((quarantineId) => !broken.has(quarantineId));
  await engine.insert(
    REPLAYS,
    done.map((quarantineId) => ({ quarantine_id: quarantineId, replayed_at: nowMicros, batch_id: batchId })),
  );
}

/** A replayed record was received before: its one outcome moves from quarantined to what it is now, or stays. */
export function settleReplay(cell: OutcomeCounts): void {
  cell.received = 0;
  cell.quarantined = -(cell.accepted + cell.duplicate);
}
