import type { Batch, CommittedBatch } from '../../batches/batch.ts';
import type { LogDamage } from '../../collector/log/log-damage.ts';
import type { LogLine } from '../../telemetry/log.ts';
import type { BatchStage } from '../../telemetry/stage-clock.ts';
import { type DiskState, noRoom } from '../disk-budget.ts';
import type { HousekeepingEvent } from '../live/housekeeping.ts';
import type { LiveEvent } from '../live/live-pipeline.ts';

type Event<What extends LiveEvent['what']> = Extract<LiveEvent, { what: What }>;

export function describeBatch({ batchId, outcomes, restated }: CommittedBatch, { cause }: Batch, stages: ReadonlyMap<BatchStage, number>): LogLine {
  const seconds = [...stages.values()].reduce((sum, each) => sum + each, 0);
  const { accepted, duplicate, quarantined } = outcomes;
  return {
    level: 'debug',
    event: 'batch_committed',
    message: `Batch ${batchId}: ${count(accepted)} accepted, ${count(duplicate)} duplicate, ${count(quarantined)} quarantined in ${seconds.toFixed(3)} s.`,
    fields: {
      batch_id: batchId,
      cause,
      ...outcomes,
      restated,
      seconds: rounded(seconds),
      seconds_by_stage: Object.fromEntries([...stages].map(([stage, each]) => [stage, rounded(each)])),
    },
  };
}

export function describeRecovery({ entries, records }: Event<'recovered'>): LogLine {
  return {
    level: 'info',
    event: 'recovered',
    message: `Found ${count(records)} records in the log that were taken and not committed.`,
    fields: { entries, records },
  };
}

export function describeFailure({ error, retryInMilliseconds }: Event<'failed'>): LogLine {
  return {
    level: 'warn',
    event: 'batch_failed',
    message: `${error instanceof Error ? error.message : String(error)}. It is tried again in ${retryInMilliseconds / 1_000} s; what was acknowledged is in the log.`,
    fields: { retry_in_seconds: retryInMilliseconds / 1_000 },
    error,
  };
}

export function describeKept({ what, error }: Event<'archive_failed' | 'log_kept'>): LogLine {
  const kept = what === 'archive_failed' ? 'what the raw archive does not have yet' : 'what it need not keep any more';
  return { level: 'warn', event: what, message: `${error instanceof Error ? error.message : String(error)}. The log keeps ${kept}; it is tried again.`, error };
}

export function describeHousekeepingFailure({ job, error, retryInMilliseconds }: Extract<HousekeepingEvent, { what: 'failed' }>): LogLine {
  return {
    level: 'warn',
    event: 'housekeeping_failed',
    message: `Housekeeping (${job}) failed: ${error instanceof Error ? error.message : String(error)}. It is tried again in ${retryInMilliseconds / 1_000} s; records are taken meanwhile.`,
    fields: { job, retry_in_seconds: retryInMilliseconds / 1_000 },
    error,
  };
}

export function describeDisk(state: DiskState): LogLine {
  const { message, remedy } = noRoom(state);
  if (state.level === 'full') return { level: 'warn', event: 'disk_full', message: `Records are refused: ${message}. ${remedy}` };
  if (state.level === 'low') return { level: 'warn', event: 'disk_low', message: `The disk fills up: ${message}. Before it is full, records are refused.` };
  return { level: 'info', event: 'disk_enough', message: 'There is enough room on the disk again.' };
}

export function describeDamage({ kind, segment, setAside }: LogDamage): LogLine {
  const copy = setAside === undefined ? '' : `; what stood there is kept in ${setAside}`;
  const fields = { kind, file: segment };
  if (kind === 'cut')
    return { level: 'info', event: 'log_damaged', message: `The log ended in the middle of an entry that was not acknowledged${copy}.`, fields };
  return { level: 'warn', event: 'log_damaged', message: `The log is damaged in ${segment}: entries are lost there${copy}.`, fields };
}

function count(value: number): string {
  return value.toLocaleString('en');
}

/** To microseconds: the clock has no more. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1_000_000) / 1_000_000;
}
