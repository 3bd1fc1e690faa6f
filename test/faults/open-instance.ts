import { join } from 'node:path';
import { type Instance, type InstanceOptions, openInstance } from '../../src/app/instance.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { loadContracts } from '../../src/contracts/load-contract.ts';
import type { Contracts } from '../../src/staging/staged-tables.ts';
import { RECEIVED_MICROS } from './small-day.ts';

export interface FaultyOptions {
  /** Small ones make several batches of a few records. */
  readonly batchRecords?: number;
  readonly workers?: number;
  /** Other sections of the settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly access?: InstanceOptions['access'];
  readonly nowMicros?: number;
  readonly contracts?: Contracts;
  readonly onStep?: (step: string) => void;
  readonly measureDisk?: InstanceOptions['measureDisk'];
}

export const SHIPPED_CONTRACTS: Contracts = await loadContracts(join(import.meta.dirname, '../../contracts'));

/** An instance as small as it goes. */
export function instanceOptions(dataDirectory: string, options: FaultyOptions = {}): InstanceOptions {
  const limits = { batch_records: options.batchRecords ?? 1_000_000, workers: options.workers ?? 1, threads: 1, memory: '300MB' };
  return {
    dataDirectory,
    settings: settingsSchema.parse({ ...options.settings, limits: { ...limits, ...(options.settings?.['limits'] as object | undefined) } }),
    contracts: options.contracts ?? SHIPPED_CONTRACTS,
    access: options.access ?? 'write',
    command: 'faults',
    // Some days of a batch are archived, and some are not.
    archiveFromRows: 4,
    runSizes: { runEvents: 100, filteredEvents: 1_000 },
    measureDisk: options.measureDisk,
    nowMicros: () => options.nowMicros ?? RECEIVED_MICROS,
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
  };
}

/** Opens, works, closes, however the work ends. */
export async function withInstance<T>(dataDirectory: string, options: FaultyOptions, work: (instance: Instance) => Promise<T>): Promise<T> {
  const instance = await openInstance(instanceOptions(dataDirectory, options));
  try {
    return await work(instance);
  } finally {
    await instance.close();
  }
}
