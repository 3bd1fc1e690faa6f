import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PRODUCT } from './contestants.ts';
import { measureProcesses } from './measure-processes.ts';
import { CACHE, cachedTraffic } from './traffic.ts';

export interface MemoryResult {
  readonly records: number;
  readonly bytes: number;
  readonly peakRssBytes: number;
  readonly wallSeconds: number;
}

/** Peak memory of ingesting a lot at once: the highest of its processes. */
export async function measureMemory(impressions: number, days: number): Promise<MemoryResult> {
  if (!existsSync(PRODUCT.needs.path)) throw new Error(`${PRODUCT.name} is not ready: run ${PRODUCT.needs.else} first`);
  const { directory, records, bytes } = await cachedTraffic(`memory-${impressions}`, { impressions, days });
  const out = join(CACHE, 'out/memory');
  await rm(out, { recursive: true, force: true });
  const { peakRssBytes, wallSeconds } = await measureProcesses(PRODUCT.commands(directory, out), PRODUCT.environment);
  await rm(out, { recursive: true, force: true });
  return { records, bytes, peakRssBytes, wallSeconds };
}
