import { setTimeout as wait } from 'node:timers/promises';
import { settingsSchema } from '../../config/settings.ts';
import { AdvertiseXError, interrupted } from '../../domain/errors.ts';
import type { Contracts } from '../../staging/staged-tables.ts';
import { dataDirectory } from '../data-directory.ts';
import { type Instance, openInstance } from '../instance.ts';
import { COLLECTOR_SOURCE, logPositions } from '../live/log-positions.ts';
import { type Reconciliation, reconcile } from '../recon.ts';
import { type Comparison, compareWithTables } from './compare-with-tables.ts';
import type { Life, LifeEnd, LogFault } from './fault-plan.ts';
import { damageLog } from './log-faults.ts';
import { NumberedTraffic } from './numbered-traffic.ts';
import { Senders } from './senders.ts';
import { SentRequests } from './sent-requests.ts';
import { type Ended, UpProcess } from './up-process.ts';

export interface ChaosOptions {
  /** An empty folder: the data directory of the processes that are killed. */
  readonly data: string;
  /** The command line that dies at a step (src/cli/killed-at-step.ts). */
  readonly program: readonly string[];
  readonly contracts: Contracts;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the traffic. */
  readonly seed: string;
  readonly lives: Iterator<Life, never>;
  /** It ends after so many kills, or after so many seconds. */
  readonly kills: number;
  readonly seconds: number | undefined;
  readonly recordsPerSecond: number;
  readonly connections: number;
  readonly nowMicros: () => number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly kills: number; readonly acknowledged: number }) => void;
}

export interface ChaosResult extends Comparison {
  readonly seed: string;
  /** Processes, by how they ended: all but `stopped` were killed. */
  readonly ends: Readonly<Record<LifeEnd['how'], number>>;
  readonly pauses: number;
  readonly logFaults: Readonly<Partial<Record<LogFault, number>>>;
  readonly requests: { readonly sent: number; readonly acknowledged: number; readonly cut: number; readonly sentAgain: number };
  /** Answers that nobody deserved, and processes that ended by themselves. */
  readonly strange: readonly string[];
  readonly broken: readonly Reconciliation[];
  readonly seconds: number;
  /** Nothing was lost, and nothing is there twice. */
  readonly holds: boolean;
}

const STARTING_SECONDS = 300;
const STEP_SECONDS = 5;
const STOPPING_SECONDS = 900;

/** Kills `up` again and again while it takes numbered records, and compares what it acknowledged with what is in the tables. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const chaos = new Chaos(options);
  const startedAtMicros = options.nowMicros();
  await chaos.liveUntilOver(startedAtMicros);
  const { comparison, broken } = await chaos.compare();
  const { requests, ends, pauses, logFaults } = chaos;
  const strange = [...[...requests.strange].map(([answer, times]) => `${times} answers: ${answer}`), ...chaos.strange];
  return {
    ...comparison,
    seed: options.seed,
    ends,
    pauses,
    logFaults,
    requests: {
      sent: requests.all.length,
      acknowledged: requests.all.filter(({ answeredAtMicros }) => answeredAtMicros > 0).length,
      cut: requests.all.filter(({ isCut }) => isCut).length,
      sentAgain: requests.all.filter(({ sent }) => sent > 1).length,
    },
    strange,
    broken,
    seconds: (options.nowMicros() - startedAtMicros) / 1e6,
    holds: comparison.findings.length + comparison.takenTwice.length + strange.length + broken.length === 0,
  };
}

class Chaos {
  readonly requests = new SentRequests();
  readonly ends: Record<LifeEnd['how'], number> = { 'at-step': 0, running: 0, starting: 0, stopping: 0, stopped: 0 };
  readonly logFaults: Partial<Record<LogFault, number>> = {};
  readonly strange: string[] = [];
  pauses = 0;
  private readonly options: ChaosOptions;
  private readonly traffic: NumberedTraffic;
  private readonly senders: Senders;
  private lives = 0;
  /** Before that there are no tables to ask. */
  private hasStarted = false;
  /** An entry that nobody had read was damaged: the next process has to say so. */
  private isToWarn = false;

  constructor(options: ChaosOptions) {
    this.options = options;
    this.traffic = new NumberedTraffic(options.seed);
    const { connections, recordsPerSecond, nowMicros } = options;
    this.senders = new Senders({ traffic: this.traffic, requests: this.requests, connections, recordsPerSecond, nowMicros });
  }

  /** The last life ends in order. */
  async liveUntilOver(startedAtMicros: number): Promise<void> {
    const { kills, seconds = Number.POSITIVE_INFINITY, nowMicros, onProgress, lives } = this.options;
    for (let killed = 0; killed < kills && nowMicros() - startedAtMicros < seconds * 1e6 && this.strange.length === 0; ) {
      const life = lives.next().value;
      if (life.logFault !== undefined) await this.damage(life.logFault, life);
      if (await this.live(life)) killed++;
      let acknowledged = 0;
      for (const { answeredAtMicros, count } of this.requests.all) if (answeredAtMicros > 0) acknowledged += count;
      onProgress({ kills: killed, acknowledged });
    }
    if (this.strange.length > 0) return;
    await this.live({ logFault: undefined, end: { how: 'stopped', afterMillis: 500 }, pauses: [], random: lives.next().value.random });
  }

  async compare(): Promise<{ comparison: Comparison; broken: Reconciliation[] }> {
    return this.reading(async (instance) => ({
      comparison: await compareWithTables(instance, this.requests, this.traffic.numbers),
      broken: (await reconcile(instance)).filter(({ holds }) => !holds),
    }));
  }

  /** Whether it was killed. */
  private async live({ end, pauses }: Life): Promise<boolean> {
    const { program, data, environment, signal } = this.options;
    if (signal.aborted) throw interrupted();
    const life = ++this.lives;
    const { step, occurrence } = end.how === 'at-step' ? end : { step: '', occurrence: 0 };
    const up = new UpProcess({ program, data, environment, step, occurrence });
    const interrupt = (): void => up.kill('SIGKILL');
    signal.addEventListener('abort', interrupt);
    const over = new AbortController();
    const ended = up.ended.finally(() => over.abort());
    try {
      if (end.how === 'starting') void wait(end.afterMillis, undefined, { signal: over.signal }).then(interrupt, () => undefined);
      const url = await Promise.race([
        up.url,
        wait(STARTING_SECONDS * 1_000, undefined, { signal: over.signal }).then(
          () => this.tooSlow(up, life),
          () => undefined,
        ),
      ]);
      this.hasStarted ||= url !== undefined;
      const sending = url === undefined ? Promise.resolve() : this.senders.send(url, life, over.signal);
      for (const { afterMillis, forMillis } of url === undefined ? [] : pauses) {
        void wait(afterMillis, undefined, { signal: over.signal }).then(
          () => {
            this.pauses++;
            return up.pause(forMillis);
          },
          () => undefined,
        );
      }
      await this.end(up, end, url !== undefined, over.signal);
      await Promise.all([ended, sending]);
      if (signal.aborted) throw interrupted();
      return this.judge(await ended, end, life);
    } finally {
      signal.removeEventListener('abort', interrupt);
      up.kill('SIGKILL');
    }
  }

  private async end(up: UpProcess, end: LifeEnd, isUp: boolean, over: AbortSignal): Promise<void> {
    const pause = (milliseconds: number) => wait(milliseconds, undefined, { signal: over }).catch(() => undefined);
    if (!isUp || end.how === 'starting') return void (await up.ended);
    await pause(end.how === 'at-step' ? STEP_SECONDS * 1_000 : end.how === 'stopping' ? 300 : end.afterMillis);
    if (end.how === 'stopping' || end.how === 'stopped') {
      up.kill('SIGTERM');
      await pause(end.how === 'stopping' ? end.afterMillis : STOPPING_SECONDS * 1_000);
    }
    up.kill('SIGKILL');
  }

  private tooSlow(up: UpProcess, life: number): undefined {
    this.strange.push(`Process ${life} took nothing for ${STARTING_SECONDS} seconds`);
    up.kill('SIGKILL');
  }

  /** What a process has no right to: it ends by itself, or does not start. */
  private judge({ code, signal, said }: Ended, { how }: LifeEnd, life: number): boolean {
    if (this.isToWarn && said.includes('/v1')) {
      this.isToWarn = false;
      if (!/log (is damaged|ended in the middle)/.test(said)) this.strange.push(`Process ${life} did not say that its log was damaged`);
    }
    const isStopping = how === 'stopped' || how === 'stopping';
    if (signal === 'SIGKILL' && how !== 'stopped') {
      this.ends[how]++;
      return true;
    }
    if (code === 0 && isStopping) {
      this.ends.stopped++;
      return false;
    }
    const why = said.trim().split('\n').slice(-4).join(' ');
    if (life === 1) throw new AdvertiseXError('server_failed', `\`advertisex up\` does not start: ${why}`, 'See what its message says, then try again.');
    this.strange.push(`Process ${life} ${signal === null ? `ended with ${code}` : 'did not stop in time'}: ${why}`);
    return false;
  }

  private async damage(fault: LogFault, { random }: Life): Promise<void> {
    if (!this.hasStarted) return;
    const folder = dataDirectory(this.options.data).log;
    const done = await this.reading(async (instance) => damageLog(folder, fault, await logPositions(instance, COLLECTOR_SOURCE), random));
    if (done === undefined) return;
    this.isToWarn ||= fault === 'unread';
    this.logFaults[fault] = (this.logFaults[fault] ?? 0) + 1;
    for (const number of done.lost) {
      const request = this.requests.of(number);
      if (request !== undefined) request.isDestroyed = true;
    }
  }

  private async reading<T>(work: (instance: Instance) => Promise<T>): Promise<T> {
    const { data, contracts, nowMicros } = this.options;
    const instance = await openInstance({ dataDirectory: data, settings: settingsSchema.parse({}), contracts, access: 'read', command: 'chaos', nowMicros });
    try {
      return await work(instance);
    } finally {
      await instance.close();
    }
  }
}
