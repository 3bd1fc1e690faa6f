import { join } from 'node:path';
import { type Instance, type InstanceOptions, openInstance } from '../../src/app/instance.ts';
import { settingsSchema } from '../../src/config/settings.ts';
import { loadContracts } from '../../src/contracts/load-contract.ts';
import { RECEIVED_MICROS } from './small-day.ts';

export interface FaultyOptions {
  /** Small ones make several batches of a few records. */
  readonly batchRecords?: number;
  readonly access?: InstanceOptions['access'];
  readonly nowMicros?: number;
  readonly contracts?: string;
  readonly onStep?: (step: string) => void;
}

/** An instance as small as it goes: one worker, so that the same files always make the same batches. */
export async function open(dataDirectory: string, options: FaultyOptions = {}): Promise<Instance> {
  return openInstance({
    dataDirectory,
    settings: settingsSchema.parse({ limits: { batch_records: options.batchRecords ?? 1_000_000, workers: 1, threads: 1, memory: '300MB' } }),
    contracts: await loadContracts(options.contracts ?? join(import.meta.dirname, '../../contracts')),
    access: options.access ?? 'write',
    command: 'faults',
    nowMicros: () => options.nowMicros ?? RECEIVED_MICROS,
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
  });
}

/** Opens, works, closes, however the work ends. */
export async function withInstance<T>(dataDirectory: string, options: FaultyOptions, work: (instance: Instance) => Promise<T>): Promise<T> {
  const instance = await open(dataDirectory, options);
  try {
    return await work(instance);
  } finally {
    await instance.close();
  }
}
