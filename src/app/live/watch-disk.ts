import type { DiskBudget, DiskState } from '../disk-budget.ts';
import type { Instance } from '../instance.ts';

export interface WatchedDisk {
  readonly budget: DiskBudget;
  stop(): void;
}

export interface DiskWatchOptions {
  /** Told of each change of level. */
  readonly onChange: (state: DiskState) => void;
  /** The disk could not be looked at; the next time it may be. */
  readonly onFailure: (error: unknown) => void;
}

const LOOK_EVERY_MS = 5_000;

/** Looks at the disk of an instance now, and every few seconds from then on. */
export async function watchDisk({ disk: budget }: Pick<Instance, 'disk'>, { onChange, onFailure }: DiskWatchOptions): Promise<WatchedDisk> {
  budget.onChange(onChange);
  await budget.look();
  const timer = setInterval(() => void budget.look().catch(onFailure), LOOK_EVERY_MS);
  return { budget, stop: () => clearInterval(timer) };
}
