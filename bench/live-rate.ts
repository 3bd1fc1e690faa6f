import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuSeconds, type RunningServer, runSender, startBare, startUp, stopServer } from './live/processes.ts';
import { median } from './medians.ts';

export interface LiveRateResult {
  readonly seconds: number;
  readonly sizes: readonly {
    readonly eventsARequest: number;
    readonly connections: number;
    /** Medians of the rounds. */
    readonly product: Rate;
    readonly bare: Rate;
    /** Median of the ratios of each round. */
    readonly ratio: number;
  }[];
}

export interface Rate {
  /** Answered with 200. */
  readonly requestsPerSecond: number;
  /** Of the server, a request: decoding, the log and, of the product, the tables. */
  readonly cpuMicrosPerRequest: number;
}

export interface LiveRateOptions {
  readonly seconds: number;
  readonly rounds: number;
}

const SIZES = [
  { eventsARequest: 1, connections: 512 },
  { eventsARequest: 10, connections: 256 },
  { eventsARequest: 100, connections: 64 },
];

/** As many requests as are answered, each once its events are on disk, against a bare fastify that only reads them. */
export async function measureLiveRate({ seconds, rounds }: LiveRateOptions): Promise<LiveRateResult> {
  const sizes = [];
  for (const size of SIZES) {
    const pairs: { product: Rate; bare: Rate }[] = [];
    for (let round = 0; round < rounds; round++) {
      const data = await mkdtemp(join(tmpdir(), 'advertisex-rate-'));
      const product = await measure(await startUp(data), size, seconds);
      await rm(data, { recursive: true });
      const bare = await measure(await startBare(), size, seconds);
      pairs.push({ product, bare });
      console.error(`${size.eventsARequest} events a request, round ${round + 1}: ${JSON.stringify({ product, bare })}`);
    }
    const middle = (of: (pair: (typeof pairs)[number]) => number) => median(pairs.map(of));
    const rate = (of: 'product' | 'bare'): Rate => ({
      requestsPerSecond: middle((pair) => pair[of].requestsPerSecond),
      cpuMicrosPerRequest: middle((pair) => pair[of].cpuMicrosPerRequest),
    });
    sizes.push({
      ...size,
      product: rate('product'),
      bare: rate('bare'),
      ratio: middle(({ product, bare }) => product.requestsPerSecond / bare.requestsPerSecond),
    });
  }
  return { seconds, sizes };
}

async function measure(server: RunningServer, { eventsARequest, connections }: (typeof SIZES)[number], seconds: number): Promise<Rate> {
  const before = cpuSeconds(server);
  const sent = await runSender({ url: server.url, eventsARequest, seconds, connections });
  const cpu = cpuSeconds(server) - before;
  const answered = sent.answeredAt.filter((at) => at > 0).length;
  await stopServer(server);
  return { requestsPerSecond: answered / sent.seconds, cpuMicrosPerRequest: (cpu / answered) * 1e6 };
}
