import type { Engine } from '../engines/engine.ts';
import type { Contracts } from '../staging/staged-tables.ts';
import type { Model } from './models.ts';

export interface ApplyContext {
  readonly engine: Engine;
  readonly models: ReadonlyMap<string, Model>;
  readonly contracts: Contracts;
  readonly nowMicros: () => number;
  /** Told before each step, and once the batch is committed; tests stop the process here. What it throws stops the batch. */
  readonly onStep?: (step: string) => void;
  /** Tests make runs of identities short. */
  readonly runSizes?: RunSizes;
}

/**
 * Identities are kept in runs of a million or more. The latest run is searched in whole; a complete one gets a filter, which tells
 * of nearly every key that the run does not hold it: so a small batch hardly costs more the more there was before it.
 */
export interface RunSizes {
  /** From so many identities on a run is complete. */
  readonly runEvents: number;
  /** A batch of more events searches all runs in whole: one pass over them is cheaper than so many questions to their filters. */
  readonly filteredEvents: number;
}
