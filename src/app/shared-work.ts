import { createHash } from 'node:crypto';
import type { Settings } from '../config/settings.ts';
import type { Contracts } from '../staging/staged-tables.ts';
import type { IngestRequest } from './ingest-files.ts';
import type { QuarantineFilter } from './quarantine.ts';

/** What another process can have the owner of the data do, by name, and what it has to say for it. */
export interface WorkArguments {
  readonly ingest: { readonly rules: string; readonly requests: readonly IngestRequest[] };
  readonly replay: { readonly rules: string; readonly filter: QuarantineFilter };
  readonly 'export-lake': { readonly everything: boolean; readonly takeOver: boolean };
  readonly sources: null;
}

export type WorkName = keyof WorkArguments;

/** Work of this name waits for other work to end. */
export interface WaitingWork {
  readonly waitingForOthers: number;
}

/**
 * What decides what a record becomes: two processes that differ in it would make different figures of the same file. Limits, the server
 * and the like are each process's own.
 */
export function rulesOf({ instance, feeds, normalising, invalid_traffic, correlation, attribution, limits }: Settings, contracts: Contracts): string {
  const { currency, reporting_time_zone } = instance;
  const checks = [...contracts.values()].map(({ feed, version, fields }) => ({ feed, version, fields })).sort((a, b) => (a.feed < b.feed ? -1 : 1));
  const rules = [currency, reporting_time_zone, feeds, normalising, invalid_traffic, correlation, attribution, limits.record_bytes, checks];
  return createHash('sha256').update(JSON.stringify(rules)).digest('hex');
}
