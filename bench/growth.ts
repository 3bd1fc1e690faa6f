import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { EVENT_FEEDS } from '../src/domain/feeds.ts';
import type { BatchTimes } from './apply-batches.ts';
import { productCompact, productIngest, ROOT } from './contestants.ts';
import { measureProcesses } from './measure-processes.ts';
import { median } from './medians.ts';
import { CACHE, cachedTraffic } from './traffic.ts';

export interface GrowthResult {
  readonly histories: readonly {
    readonly days: number;
    readonly rows: number;
    readonly batches: number;
    readonly recordsInBatch: number;
    readonly medianApplyMs: number;
    readonly medianWholeMs: number;
    readonly databaseBytes: number;
    /** Milliseconds of the steps that take longest, medians. */
    readonly slowestSteps: readonly { readonly step: string; readonly ms: number }[];
  }[];
  /** Cost of a batch on the long history over its cost on the short one. */
  readonly ratio: number;
}

export interface GrowthOptions {
  readonly impressionsADay: number;
  /** Of the short and the long history. The days are alike: the client is the same, some time later. */
  readonly days: readonly [number, number];
  readonly batches: number;
  readonly rounds: number;
}

/** Files a day, so that a file of each feed makes one batch. */
const SLICES_A_DAY = 100;

export async function measureGrowth(options: GrowthOptions): Promise<GrowthResult> {
  const histories = [];
  for (const days of options.days) histories.push({ days, ...(await cachedHistory(options, days)), times: [] as BatchTimes[] });
  for (let round = 0; round < options.rounds; round++) {
    for (const history of histories) history.times.push(...(await applyToCopy(history.data, history.fresh, options.batches, round)));
  }
  const results = histories.map(({ days, rows, databaseBytes, times }) => ({
    days,
    rows,
    batches: times.length,
    recordsInBatch: Math.round(median(times.map((one) => one.records))),
    medianApplyMs: median(times.map((one) => one.applyMs)),
    medianWholeMs: median(times.map((one) => one.wholeMs)),
    databaseBytes,
    slowestSteps: slowestSteps(times),
  }));
  return { histories: results, ratio: results[1]!.medianApplyMs / results[0]!.medianApplyMs };
}

function slowestSteps(times: readonly BatchTimes[]): { step: string; ms: number }[] {
  const steps = new Set(times.flatMap((one) => Object.keys(one.stepMs)));
  return [...steps]
    .map((step) => ({ step, ms: median(times.map((one) => one.stepMs[step] ?? 0)) }))
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, 8);
}

interface History {
  readonly data: string;
  /** Files that arrive after the history, for the batches. */
  readonly fresh: string;
  readonly rows: number;
  readonly databaseBytes: number;
}

/** An instance that took in whole days, and the traffic of the next day. Built once. */
export async function cachedHistory({ impressionsADay }: Pick<GrowthOptions, 'impressionsADay'>, days: number): Promise<History> {
  const name = `growth-${impressionsADay}x${days}`;
  const audience = Math.max(1_000, impressionsADay);
  const size = {
    impressions: impressionsADay * (days + 1),
    days: days + 1,
    tailDays: 0,
    users: audience,
    campaigns: 40,
    sites: 500,
    filesPerFeed: SLICES_A_DAY * (days + 1),
  };
  const traffic = await cachedTraffic(name, size, setLastDayApart);
  const data = join(CACHE, 'history', name);
  const version = await storeVersion();
  if ((await readFile(join(data, 'built'), 'utf8').catch(() => '')) !== version) {
    const unfinished = `${data}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await rm(data, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    console.error(`Building a history of ${days} days …`);
    // Compacted, as an instance is that lived through those days: `up` does it every minute.
    await measureProcesses([productIngest(traffic.directory, unfinished), productCompact(unfinished)], { ADVERTISEX_LAKE_AFTER_INGEST: 'false' });
    await writeFile(join(unfinished, 'built'), version);
    await rename(unfinished, data);
  }
  const { rows, databaseBytes } = await describe(data);
  return { data, fresh: join(traffic.directory, 'fresh'), rows, databaseBytes };
}

/** What a database was made with: a history of other tables or models is built again. */
async function storeVersion(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(ROOT, 'src/batches/store-tables.ts')));
  for (const folder of ['models', 'contracts']) {
    const files = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
    for (const path of files
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted())
      hash.update(relative(ROOT, path)).update(await readFile(path));
  }
  return hash.digest('hex');
}

async function setLastDayApart(directory: string): Promise<void> {
  for (const feed of EVENT_FEEDS) {
    const files = (await readdir(join(directory, feed))).toSorted();
    await mkdir(join(directory, 'fresh', feed), { recursive: true });
    for (const file of files.slice(-SLICES_A_DAY)) await rename(join(directory, feed, file), join(directory, 'fresh', feed, file));
  }
}

async function describe(data: string): Promise<{ rows: number; databaseBytes: number }> {
  return JSON.parse(await runScript('describe-history.ts', [data])) as { rows: number; databaseBytes: number };
}

/** In one process, on a copy: a batch that is applied twice would bring only duplicates. */
async function applyToCopy(data: string, fresh: string, batches: number, round: number): Promise<BatchTimes[]> {
  const copy = join(CACHE, 'out/growth');
  await rm(copy, { recursive: true, force: true });
  await cp(data, copy, { recursive: true, filter: (path) => !path.startsWith(join(data, 'lake')) });
  const times = JSON.parse(await runScript('apply-batches.ts', [copy, fresh, String(batches)])) as BatchTimes[];
  await rm(copy, { recursive: true, force: true });
  console.error(`round ${round + 1}: ${times.length} batches, median ${median(times.map((one) => one.applyMs)).toFixed(0)} ms`);
  return times;
}

async function runScript(script: string, words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return output;
}
