import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { compareWithTables } from '../../src/app/chaos/compare-with-tables.ts';
import { NumberedTraffic } from '../../src/app/chaos/numbered-traffic.ts';
import { Senders } from '../../src/app/chaos/senders.ts';
import { SentRequests } from '../../src/app/chaos/sent-requests.ts';
import { UpProcess } from '../../src/app/chaos/up-process.ts';
import { dataDirectory } from '../../src/app/data-directory.ts';
import { type Instance, openInstance } from '../../src/app/instance.ts';
import { RandomStream } from '../../src/generate/random-stream.ts';
import { run } from '../faults/command-line.ts';
import { brokenEquations } from '../faults/every-table.ts';
import { instanceOptions } from '../faults/open-instance.ts';
import { median, slopePerSecond } from './robust.ts';

export interface SoakOptions {
  readonly data: string;
  readonly seconds: number;
  readonly seed: string;
  readonly recordsPerSecond: number;
  readonly sampleSeconds: number;
  /** On average, from the end of a fault to the next. */
  readonly faultSeconds: number;
  readonly onSample: (sample: Sample) => void;
}

export interface Sample {
  readonly atSeconds: number;
  readonly life: number;
  readonly rssMegabytes: number;
  /** How old the newest record in the tables is. */
  readonly freshnessSeconds: number;
  readonly databaseMegabytes: number;
  readonly walMegabytes: number;
  readonly logMegabytes: number;
  readonly acknowledged: number;
}

export interface SoakResult {
  readonly samples: readonly Sample[];
  readonly faults: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  /** Empty: everything is as it has to be. */
  readonly failures: readonly string[];
}

const PROGRAM = join(import.meta.dirname, '../../src/cli/killed-at-step.ts');
const MOST_RSS_MEGABYTES = 1_000;
/** Memory is said to grow only of a process that has run for so long: the engine's buffers fill first. */
const GROWTH_SECONDS = 600;
const MOST_GROWTH = 0.15;

/** `up` under a steady load, with a fault now and then. It is killed in the first half alone, so that the second one is one process. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const soak = new Soak(options);
  await soak.run();
  return soak.result();
}

class Soak {
  private readonly options: SoakOptions;
  private readonly random: RandomStream;
  private readonly traffic: NumberedTraffic;
  private readonly requests = new SentRequests();
  private readonly samples: Sample[] = [];
  private readonly faults: Record<string, number> = {};
  private readonly failures: string[] = [];
  private readonly startedAt = performance.now();
  private life = 0;

  constructor(options: SoakOptions) {
    this.options = options;
    this.random = new RandomStream(options.seed, 'soak');
    this.traffic = new NumberedTraffic(options.seed);
  }

  async run(): Promise<void> {
    const { recordsPerSecond } = this.options;
    const senders = new Senders({ traffic: this.traffic, requests: this.requests, connections: 16, recordsPerSecond, nowMicros: () => Date.now() * 1_000 });
    // The last one is stopped in order, whatever was found before: what is in the log has to come into the tables.
    for (let isStopped = false; !isStopped; ) {
      const up = new UpProcess({ program: [PROGRAM], data: this.options.data, environment: process.env, step: '', occurrence: 0 });
      const over = new AbortController();
      const ended = up.ended.finally(() => over.abort());
      try {
        this.life++;
        const url = await up.url;
        if (url === undefined) throw new Error(`It does not start: ${(await ended).said}`);
        const sending = senders.send(url, this.life, over.signal);
        const sampling = this.sample(up, over.signal);
        const isToStop = await this.disturb(up, url, over.signal);
        isStopped = isToStop;
        up.kill(isToStop ? 'SIGTERM' : 'SIGKILL');
        const { code, said } = await ended;
        await Promise.all([sending, sampling]);
        if (isToStop && code !== 0) this.failures.push(`It ended with ${code}: ${said}`);
      } finally {
        up.kill('SIGKILL');
        await ended;
      }
    }
  }

  async result(): Promise<SoakResult> {
    this.judgeMemory();
    for (const [answer, times] of this.requests.strange) this.failures.push(`${times} answers: ${answer}`);
    const instance = await openInstance(instanceOptions(this.options.data, { access: 'read', nowMicros: Date.now() * 1_000 }));
    try {
      const { findings, takenTwice, records } = await compareWithTables(instance, this.requests, this.traffic.numbers);
      for (const finding of findings.slice(0, 20)) this.failures.push(JSON.stringify(finding));
      for (const twice of takenTwice) this.failures.push(`Taken twice: ${JSON.stringify(twice)}`);
      this.failures.push(...(await brokenEquations(instance)));
      return { samples: this.samples, faults: this.faults, acknowledged: records.acknowledged, failures: this.failures };
    } finally {
      await instance.close();
    }
  }

  private get seconds(): number {
    return (performance.now() - this.startedAt) / 1_000;
  }

  private get isOver(): boolean {
    return this.seconds >= this.options.seconds;
  }

  /** True: it is to stop, as its time is over; false: it is to be killed. */
  private async disturb(up: UpProcess, url: string, over: AbortSignal): Promise<boolean> {
    const { seconds, faultSeconds, data } = this.options;
    const faults: Record<string, () => Promise<void>> = {
      pause: () => up.pause(this.random.below(2_000)),
      'slow clients': () => this.sendSlowly(url),
      'damaged bodies': () => this.sendDamaged(url),
      query: () => this.read(['query', 'select event_type, count(*) from silver.events group by all'], data),
      report: () => this.read(['report', 'campaigns', '--by', 'day'], data),
      recon: () => this.read(['recon'], data),
      kill: async () => undefined,
    };
    while (!over.aborted && this.failures.length === 0) {
      const fault = this.random.pick(Object.keys(faults));
      const pause = Math.min(faultSeconds * this.random.exponential(), seconds - this.seconds);
      await wait(Math.max(0, pause) * 1_000, undefined, { signal: over }).catch(() => undefined);
      if (this.isOver || over.aborted) return true;
      if (fault === 'kill' && this.seconds > seconds / 2) continue;
      this.faults[fault] = (this.faults[fault] ?? 0) + 1;
      if (fault === 'kill') return false;
      await (faults[fault] as () => Promise<void>)();
    }
    return true;
  }

  private async sendSlowly(url: string): Promise<void> {
    const sockets = Array.from({ length: 30 }, () => connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined));
    for (const socket of sockets)
      socket.write('POST /v1/events/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n');
    for (let piece = 0; piece < 10; piece++) {
      await wait(200);
      for (const socket of sockets) socket.write('{"');
    }
    for (const socket of sockets) socket.destroy();
  }

  private async sendDamaged(url: string): Promise<void> {
    const damaged: readonly [status: number, type: string, coding: string, body: Uint8Array][] = [
      [400, 'application/json', 'gzip', Buffer.from('1f8b0800000000000003', 'hex')],
      [400, 'text/csv', 'zstd', Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.alloc(500, 9)])],
      [415, 'image/png', 'identity', Buffer.alloc(10)],
      [400, 'application/cloudevents+json', 'identity', Buffer.from('{"specversion":"1.0"}')],
    ];
    for (const [status, type, coding, body] of damaged) {
      const answer = await fetch(`${url}/v1/events/users`, {
        method: 'POST',
        headers: { 'content-type': type, 'content-encoding': coding },
        body: Buffer.from(body),
      });
      if (answer.status !== status) this.failures.push(`A damaged body of ${type} in ${coding} was answered with ${answer.status}, not ${status}`);
      await answer.arrayBuffer();
    }
  }

  /** By another process, through the one that runs. */
  private async read(words: string[], data: string): Promise<void> {
    const { status, stderr } = await run([...words, '--data', data]);
    // On a machine that is busy with other things; what it is without them is for a benchmark to say.
    if (stderr.includes('[query_timeout]')) this.faults['reads that took too long'] = (this.faults['reads that took too long'] ?? 0) + 1;
    else if (status !== 0) this.failures.push(`${words.join(' ')} ended with ${status}: ${stderr}`);
  }

  private async sample(up: UpProcess, over: AbortSignal): Promise<void> {
    const { data, sampleSeconds, onSample } = this.options;
    const reader: Instance = await openInstance(instanceOptions(data, { access: 'read' }));
    try {
      for (;;) {
        await wait(sampleSeconds * 1_000, undefined, { signal: over }).catch(() => undefined);
        if (over.aborted) return;
        const freshnessSeconds = await freshnessOf(reader).catch(() => undefined);
        if (over.aborted || freshnessSeconds === undefined) continue;
        const { database, log } = dataDirectory(data);
        const sample: Sample = {
          atSeconds: this.seconds,
          life: this.life,
          rssMegabytes: rssMegabytes(up.pid),
          freshnessSeconds,
          databaseMegabytes: megabytes(database),
          walMegabytes: megabytes(`${database}.wal`),
          logMegabytes: readdirSync(log).reduce((sum, name) => sum + megabytes(join(log, name)), 0),
          acknowledged: this.requests.all.reduce((sum, { answeredAtMicros, count }) => sum + (answeredAtMicros > 0 ? count : 0), 0),
        };
        this.samples.push(sample);
        onSample(sample);
      }
    } finally {
      await reader.close();
    }
  }

  private judgeMemory(): void {
    const most = Math.max(0, ...this.samples.map(({ rssMegabytes }) => rssMegabytes));
    if (most > MOST_RSS_MEGABYTES) this.failures.push(`It took ${most.toFixed(0)} MB of memory, and may take ${MOST_RSS_MEGABYTES}`);
    const later = this.samples.filter(({ atSeconds, life }) => atSeconds > this.options.seconds / 2 && life === this.life);
    const lasted = (later.at(-1)?.atSeconds ?? 0) - (later[0]?.atSeconds ?? 0);
    if (lasted < GROWTH_SECONDS) return;
    const growth = slopePerSecond(later.map(({ atSeconds, rssMegabytes }) => [atSeconds, rssMegabytes])) * lasted;
    const usual = median(later.map(({ rssMegabytes }) => rssMegabytes));
    if (growth > MOST_GROWTH * usual)
      this.failures.push(`Its memory grew by ${growth.toFixed(0)} MB in ${lasted.toFixed(0)} s, from about ${usual.toFixed(0)}`);
  }
}

async function freshnessOf({ engine }: Instance): Promise<number> {
  const [row] = await engine.rows<{ micros: bigint | null }>(
    'select epoch_us(max(received_at)) as micros from silver.impressions where batch_id > (select max(batch_id) from ops.batches) - 10',
  );
  return row?.micros == null ? 0 : Date.now() / 1_000 - Number(row.micros) / 1e6;
}

function megabytes(path: string): number {
  return existsSync(path) ? statSync(path).size / 1e6 : 0;
}

/** 0 where the system does not say. */
function rssMegabytes(pid: number | undefined): number {
  const path = `/proc/${pid}/status`;
  return existsSync(path) ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1]) / 1_024 : 0;
}
