import { interrupted } from '../../domain/errors.ts';
import { compactInstance } from '../compact.ts';
import { expire } from '../expire.ts';
import type { Instance } from '../instance.ts';
import { exportLakeBesideBatches } from '../write-lake.ts';
import type { HousekeepingJob } from './housekeeping.ts';

export interface JobOptions {
  readonly settleFromBytes?: number;
}

const FOLD_EVERY_MS = 60_000;
const FOLD_FROM_BATCHES = 20;
const EXPIRE_EVERY_MS = 3_600_000;
const SETTLE_EVERY_MS = 2_000;
/** Putting so much in order takes some 0.3 s, beside a batch; reading it at a start about as long. */
const SETTLE_FROM_BYTES = 64 * 2 ** 20;
/** Small pieces of tables are put together this seldom, as batches may have to wait for a second meanwhile. */
const MERGE_EVERY = 32;

/**
 * What an instance needs while records come, for as long as it runs. Jobs of one group wait for each other: the tables are kept in order however long the
 * lake takes.
 */
export function housekeepingJobs(instance: Instance, { settleFromBytes = SETTLE_FROM_BYTES }: JobOptions = {}): readonly (readonly HousekeepingJob[])[] {
  const { engine, settings } = instance;
  let settled = 0;
  const settle: HousekeepingJob = {
    name: 'settle',
    everyMilliseconds: SETTLE_EVERY_MS,
    work: async () => {
      if ((await engine.unsettledBytes()) >= settleFromBytes) await engine.settle(++settled % MERGE_EVERY === 0 ? 'some' : 'none');
    },
  };
  const fold: HousekeepingJob = {
    name: 'fold',
    everyMilliseconds: FOLD_EVERY_MS,
    work: (signal) => compactInstance(instance, { fromBatches: FOLD_FROM_BATCHES, onStep: () => requireGoing(signal) }),
  };
  const expiry: HousekeepingJob = { name: 'expire', everyMilliseconds: EXPIRE_EVERY_MS, work: (signal) => expire(instance, signal) };
  const lake: HousekeepingJob = {
    name: 'lake',
    everyMilliseconds: settings.lake.every_seconds * 1_000,
    work: (signal) => exportLakeBesideBatches(instance, signal),
  };
  return [[settle, fold, expiry], settings.lake.every_seconds === 0 ? [] : [lake]];
}

function requireGoing(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}
