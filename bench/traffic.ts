import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateTraffic } from '../src/generate/generate-traffic.ts';
import { type GenerateOptions, planTraffic } from '../src/generate/options.ts';
import { ROOT } from './contestants.ts';
import { rewriteBidRequests } from './plain-avro.ts';

export const CACHE = join(ROOT, '.cache/bench');
/** In the past for good: a time after its receipt would be refused. */
const START_DATE = '2025-03-01';
const SEED = 'bench';

export interface Traffic {
  readonly directory: string;
  /** Event records of the three feeds. */
  readonly records: number;
  readonly bytes: number;
}

export type TrafficSize = Omit<GenerateOptions, 'directory' | 'seed' | 'startDate' | 'events'> & { readonly impressions: number };

/** Generated once for each size, and kept. `prepare` changes the files before they count as made. */
export async function cachedTraffic(name: string, size: TrafficSize, prepare: (directory: string) => Promise<void> = async () => undefined): Promise<Traffic> {
  const directory = join(CACHE, 'traffic', name);
  const made = join(directory, 'made.json');
  const options = { seed: SEED, startDate: START_DATE, ...size };
  const key = JSON.stringify(planTraffic({ ...options, directory: name }));
  if (existsSync(made)) {
    const { key: before, ...traffic } = JSON.parse(await readFile(made, 'utf8')) as Traffic & { key: string };
    if (before === key) return { ...traffic, directory };
  }
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  console.error(`Generating ${name}: ${size.impressions.toLocaleString('en')} impressions with what belongs to them …`);
  const { records, bytes } = await generateTraffic({ ...options, directory: unfinished });
  await prepare(unfinished);
  await writeFile(join(unfinished, 'made.json'), `${JSON.stringify({ key, records, bytes })}\n`);
  await rename(unfinished, directory);
  return { directory, records, bytes };
}

/** What product and peers race over. */
export function raceTraffic(impressions: number): Promise<Traffic> {
  return cachedTraffic(`race-${impressions}`, { impressions }, (directory) => rewriteBidRequests(join(directory, 'bid-requests')));
}
