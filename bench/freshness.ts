import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { cachedHistory } from './growth.ts';
import { peakRssBytes, runSender, startUp, stopServer, watchWhile } from './live/processes.ts';
import { isOfResponses } from './live/requests.ts';
import type { Sent } from './live/sender.ts';
import type { Watched } from './live/watcher.ts';
import { openHistory } from './open-history.ts';
import { CACHE } from './traffic.ts';

export interface FreshnessResult {
  readonly runs: readonly {
    /** Rows that were there before. */
    readonly historyRows: number;
    readonly rate: number;
    readonly seconds: number;
    readonly requests: number;
    readonly acknowledged: number;
    readonly acknowledgedEvents: number;
    /** Of the acknowledged ones: all their rows were in the tables at the end, once. */
    readonly storedEvents: number;
    /** From the answer until the figures have it, of acknowledged requests, milliseconds. */
    readonly freshMillis: Percentiles;
    /** `GET /v1/reports/campaigns`, once a second meanwhile. */
    readonly reportMillis: Percentiles;
    readonly peakRssBytes: number;
  }[];
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
}

/** How soon what is sent over HTTP is in the figures: with nothing there before, and with a history. */
export async function measureFreshness(options: FreshnessOptions): Promise<FreshnessResult> {
  const { data, rows } = await cachedHistory(options.history, options.history.days);
  return { runs: [await measureRun(options, undefined, 0), await measureRun(options, data, rows)] };
}

async function measureRun(
  { rate, seconds, eventsARequest }: FreshnessOptions,
  history: string | undefined,
  historyRows: number,
): Promise<FreshnessResult['runs'][number]> {
  const data = history === undefined ? await mkdtemp(join(tmpdir(), 'advertisex-live-')) : join(CACHE, 'out/freshness');
  await rm(data, { recursive: true, force: true });
  if (history !== undefined) await cp(history, data, { recursive: true, filter: (path) => !path.startsWith(join(history, 'lake')) });
  try {
    const up = await startUp(data);
    const [sent, watched] = await watchWhile(up.url, async () => {
      const result = await runSender({ url: up.url, eventsARequest, seconds, connections: 64, rate });
      // The last ones are watched until they are there.
      await wait(5_000);
      return result;
    });
    const peak = peakRssBytes(up);
    await stopServer(up);
    const { lastBatches, stored } = await storedRequests(data);
    const acknowledged = sent.answeredAt.filter((at) => at > 0).length;
    const result = {
      historyRows,
      rate,
      seconds,
      requests: sent.answeredAt.length,
      acknowledged,
      acknowledgedEvents: acknowledged * eventsARequest,
      storedEvents: stored,
      freshMillis: percentiles(waits(sent, watched, lastBatches)),
      reportMillis: percentiles(watched.reportMillis),
      peakRssBytes: peak,
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
    const [ledger] = await instance.engine.rows<{ accepted: bigint }>(`select sum(accepted) as accepted from ops.ledger where source = 'http'`);
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
