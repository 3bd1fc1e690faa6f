import type { CommandDefinition } from '../command.ts';
import { doctor } from './doctor.ts';
import { init } from './init.ts';

/** In the order of the help. */
export const COMMANDS: readonly CommandDefinition[] = [init, doctor];

/** Commands that stand in front of others: `quarantine list`. */
export const GROUPS: Readonly<Record<string, string>> = {
  quarantine: 'records that broke their contract: list, show, replay',
  contract: 'contracts of the feeds: check, diff',
  lake: 'the Parquet files that other engines read: export, compact',
};
