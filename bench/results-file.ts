import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './contestants.ts';
import type { FreshnessResult } from './freshness.ts';
import type { GrowthResult } from './growth.ts';
import type { LiveRateResult } from './live-rate.ts';
import type { MemoryResult } from './memory.ts';
import type { ThroughputResult } from './throughput.ts';

export interface Results {
  readonly throughput: ThroughputResult;
  readonly growth: GrowthResult;
  readonly memory: MemoryResult;
  readonly freshness: FreshnessResult;
  readonly 'live-rate': LiveRateResult;
}
export type Chapter = keyof Results;
export const CHAPTERS = ['throughput', 'growth', 'memory', 'freshness', 'live-rate'] as const satisfies readonly Chapter[];

/** A measurement is worth what is known of where and when it was made. */
export interface Circumstances {
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Runnable processes per minute when it began and ended: above the cores, others were at work. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

export type Recorded<C extends Chapter> = { readonly circumstances: Circumstances } & Results[C];

const FOLDER = join(import.meta.dirname, 'results');

export async function record<C extends Chapter>(chapter: C, measure: () => Promise<Results[C]>): Promise<void> {
  const loadBefore = loadavg()[0]!;
  const results = await measure();
  const [cpu] = cpus();
  const circumstances: Circumstances = {
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
    node: process.version,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore,
    loadAfter: loadavg()[0]!,
  };
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, `${chapter}.json`), `${JSON.stringify({ circumstances, ...results }, undefined, 2)}\n`);
}

export async function recorded<C extends Chapter>(chapter: C): Promise<Recorded<C> | undefined> {
  const path = join(FOLDER, `${chapter}.json`);
  return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as Recorded<C>) : undefined;
}
