import { readFileSync } from 'node:fs';
import { compactInstance } from '../../src/app/compact.ts';
import { type IngestRequest, ingestFiles } from '../../src/app/ingest-files.ts';
import { type InstanceOptions, openInstance } from '../../src/app/instance.ts';
import { replayQuarantine } from '../../src/app/quarantine.ts';
import { rebuild } from '../../src/app/rebuild.ts';
import { exportInstanceLake } from '../../src/app/write-lake.ts';
import type { Contract } from '../../src/contracts/contract.ts';
import type { Feed } from '../../src/domain/feeds.ts';

/** What a process is to do, and where it is to die. Plain data: it is handed over in a file. */
export interface KilledWork {
  readonly work: 'ingest' | 'replay' | 'rebuild' | 'export' | 'compact';
  readonly calls: readonly (readonly IngestRequest[])[];
  readonly options: Omit<InstanceOptions, 'onStep' | 'nowMicros' | 'contracts'>;
  readonly contracts: readonly (readonly [Feed, Contract])[];
  readonly nowMicros: number;
  /** Before which step, and the how manieth of that name. */
  readonly step: string;
  readonly occurrence: number;
}

/** Run as a process: works, and kills itself, as hard as there is, at the step. */
const [given] = process.argv.slice(2);
if (given !== undefined) {
  const { work, calls, options, contracts, nowMicros, step, occurrence } = JSON.parse(readFileSync(given, 'utf8')) as KilledWork;
  let seen = 0;
  const onStep = (current: string) => {
    if (current === step && ++seen === occurrence) process.kill(process.pid, 'SIGKILL');
  };
  const instance = await openInstance({ ...options, contracts: new Map(contracts), nowMicros: () => nowMicros, onStep });
  if (work === 'ingest') for (const requests of calls) await ingestFiles(instance, requests);
  else if (work === 'replay') await replayQuarantine(instance, {});
  else if (work === 'rebuild') await rebuild(instance);
  else if (work === 'compact') await compactInstance(instance, { fromBatches: 0 });
  else await exportInstanceLake(instance, { beforeStep: onStep });
  await instance.close();
}
