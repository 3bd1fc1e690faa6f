import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { productIngest } from './contestants.ts';
import { cachedHistory } from './growth.ts';
import { peakRssBytes, runSender, startUp, stopServer, watchWhile } from './live/processes.ts';
import { isOfResponses } from './live/requests.ts';
import type { Sent } from './live/sender.ts';
import type { Watched } from './live/watcher.ts';
import { measureProcesses } from './measure-processes.ts';
import { openHistory } from './open-history.ts';
import { CACHE, cachedTraffic, type Traffic } from './traffic.ts';

export interface FreshnessResult {
  readonly runs: readonly FreshnessRun[];
}

export interface FreshnessRun {
  readonly name: string;
  /** Rows that were there before. */
  readonly historyRows: number;
  readonly rate: number;
  readonly seconds: number;
  readonly eventsARequest: number;
  readonly requests: number;
  readonly acknowledged: number;
  /** Of the acknowledged events: those that the tables had at the end. */
  readonly storedEvents: number;
  /** From the answer until the figures have it, of acknowledged requests, milliseconds. */
  readonly freshMillis: Percentiles;
  /** `GET /v1/reports/campaigns?reach=false` of all days, once a second meanwhile. */
  readonly sumsMillis: Percentiles;
  /** The report of the day with reach, every 20 seconds. */
  readonly reachMillis: Percentiles;
  /** Reads that were refused meanwhile, by status and type. */
  readonly refusedReads: Readonly<Record<string, number>>;
  readonly peakRssBytes: number;
  /** Of the files that were ingested meanwhile. */
  readonly backfillRecordsPerSecond?: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface FreshnessOptions {
  readonly rate: number;
  readonly seconds: number;
  readonly eventsARequest: number;
  /** Of the second run; the first one begins with nothing. */
  readonly history: { readonly impressionsADay: number; readonly days: number };
  /** Of the third run: less comes live, and so many impressions with what belongs to them are ingested beside it. */
  readonly backfill: { readonly rate: number; readonly seconds: number; readonly impressions: number };
}

/** How soon what is sent over HTTP is in the figures: with nothing there before, with a history, and beside an ingest of files. */
export async function measureFreshness({ rate, seconds, eventsARequest, history, backfill }: FreshnessOptions): Promise<FreshnessResult> {
  const { data, rows } = await cachedHistory(history, history.days);
  const traffic = await cachedTraffic(`beside-${backfill.impressions}`, { impressions: backfill.impressions });
  const live = { rate, seconds, eventsARequest };
  return {
    runs: [
      await measureRun({ ...live, name: 'a history', history: { data, rows } }),
      await measureRun({ ...live, name: 'nothing before' }),
      await measureRun({ ...live, rate: backfill.rate, seconds: backfill.seconds, name: 'beside a backfill', backfill: traffic }),
    ],
  };
}

interface RunOptions extends Pick<FreshnessOptions, 'rate' | 'seconds' | 'eventsARequest'> {
  readonly name: string;
  readonly history?: { readonly data: string; readonly rows: number };
  readonly backfill?: Traffic;
}

async function measureRun({ name, rate, seconds, eventsARequest, history, backfill }: RunOptions): Promise<FreshnessRun> {
  const data = history === undefined ? await mkdtemp(join(tmpdir(), 'advertisex-live-')) : join(CACHE, 'out/freshness');
  await rm(data, { recursive: true, force: true });
  if (history !== undefined) await cp(history.data, data, { recursive: true, filter: (path) => !path.startsWith(join(history.data, 'lake')) });
  try {
    const up = await startUp(data);
    const ingesting = backfill && measureProcesses([productIngest(backfill.directory, data)]);
    const [sent, watched] = await watchWhile(up.url, async () => {
      const result = await runSender({ url: up.url, eventsARequest, seconds, connections: 64, rate });
      // The last ones are watched until they are there.
      await wait(5_000);
      return result;
    });
    const ingested = await ingesting;
    const peak = peakRssBytes(up);
    await stopServer(up);
    const { lastBatches, stored } = await storedRequests(data);
    const result: FreshnessRun = {
      name,
      historyRows: history?.rows ?? 0,
      rate,
      seconds,
      eventsARequest,
      requests: sent.answeredAt.length,
      acknowledged: sent.answeredAt.filter((at) => at > 0).length,
      storedEvents: stored,
      freshMillis: percentiles(waits(sent, watched, lastBatches)),
      sumsMillis: percentiles(watched.sumsMillis),
      reachMillis: percentiles(watched.reachMillis),
      refusedReads: Object.fromEntries([...Map.groupBy(watched.refusals, (refusal) => refusal)].map(([refusal, all]) => [refusal, all.length])),
      peakRssBytes: peak,
      ...(backfill === undefined || ingested === undefined ? {} : { backfillRecordsPerSecond: backfill.records / ingested.wallSeconds }),
    };
    console.error(JSON.stringify(result));
    return result;
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/** Clicks and conversions have no id to find their request by; they are in the batches of those before and after them. */
function waits({ answeredAt }: Sent, { seen }: Watched, lastBatches: ReadonlyMap<number, number>): number[] {
  return answeredAt.flatMap((at, index) => {
    if (at === 0 || isOfResponses(index)) return [];
    const batch = lastBatches.get(index);
    if (batch === undefined) throw new Error(`Request ${index} was acknowledged, and none of its events is in the tables`);
    const first = seen.find(([last]) => last >= batch);
    return [Math.max(0, (first?.[1] ?? Number.POSITIVE_INFINITY) - at)];
  });
}

/** The last batch that has events of each request, and how many events of requests there are. */
async function storedRequests(data: string): Promise<{ readonly lastBatches: ReadonlyMap<number, number>; readonly stored: number }> {
  const instance = await openHistory(data, 'read');
  try {
    const rows = await instance.engine.rows<{ request: bigint; batch: bigint }>(
      `select try_cast(substr(split_part(id, '-', 1), 2) as bigint) as request, max(batch_id) as batch
       from (select impression_id as id, batch_id from silver.impressions where event_time > current_timestamp::timestamp - interval 1 hour
             union all select request_id, batch_id from silver.bid_requests where event_time > current_timestamp::timestamp - interval 1 hour) e
       where id like 'r%-%' group by 1`,
    );
    const [ledger] = await instance.engine.rows<{ accepted: bigint }>(
      `select sum(accepted) as accepted from ops.ledger where source = 'http' and hour > current_timestamp::timestamp - interval 2 hour`,
    );
    return { lastBatches: new Map(rows.map(({ request, batch }) => [Number(request), Number(batch)])), stored: Number(ledger?.accepted) };
  } finally {
    await instance.close();
  }
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN);
  return { p50: at(50), p95: at(95), p99: at(99), max: at(100) };
}
