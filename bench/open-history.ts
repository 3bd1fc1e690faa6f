import { type Instance, openInstance } from '../src/app/instance.ts';
import { PACKAGED_CONTRACTS } from '../src/cli/packaged-files.ts';
import { settingsSchema } from '../src/config/settings.ts';
import { loadContracts } from '../src/contracts/load-contract.ts';

/** The instance in a data directory, with default settings and the packaged contracts. */
export async function openHistory(dataDirectory: string, access: 'read' | 'write', onStep?: (step: string) => void): Promise<Instance> {
  return openInstance({
    dataDirectory,
    settings: settingsSchema.parse({}),
    contracts: await loadContracts(PACKAGED_CONTRACTS),
    access,
    command: 'benchmark',
    nowMicros: () => Date.now() * 1000,
    ...(onStep === undefined ? {} : { onStep }),
  });
}
