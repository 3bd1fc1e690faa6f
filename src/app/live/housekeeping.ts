/** Work that has to be done now and then while others go on. */
export interface HousekeepingJob {
  readonly name: string;
  /** From the end of one time to the beginning of the next, at least. */
  readonly everyMilliseconds: number;
  /** Ends soon once the signal is aborted: by itself, or by throwing. Doing it again after any failure does no harm. */
  readonly work: (signal: AbortSignal) => Promise<unknown>;
}

export type HousekeepingEvent =
  | { readonly what: 'done'; readonly job: string; readonly milliseconds: number }
  | { readonly what: 'failed'; readonly job: string; readonly error: unknown; readonly retryInMilliseconds: number };

export interface HousekeepingOptions {
  readonly jobs: readonly HousekeepingJob[];
  /** Of a clock that nobody sets. */
  readonly nowMicros: () => number;
  /** Resolves after so many milliseconds, or once the signal is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly onEvent: (event: HousekeepingEvent) => void;
}

interface Plan {
  readonly job: HousekeepingJob;
  dueMicros: number;
  failures: number;
}

/** A job that takes long comes round less often: it is at work for a tenth of the time at most. */
const REST_FOR_EACH_MICRO_OF_WORK = 9;
/** A process that is started again and again comes to its seldom jobs, too. */
const FIRST_MS = 300_000;
const RETRY_FIRST_MS = 5_000;
const RETRY_LAST_MS = 600_000;

/** Does its jobs one at a time, each as often as it asks for. One that fails is told, and tried again after growing pauses. */
export class Housekeeping {
  private readonly options: HousekeepingOptions;
  private readonly stopping = new AbortController();
  private readonly plans: Plan[];
  private readonly running: Promise<void>;

  constructor(options: HousekeepingOptions) {
    this.options = options;
    const now = options.nowMicros();
    this.plans = options.jobs.map((job) => ({ job, dueMicros: now + Math.min(job.everyMilliseconds, FIRST_MS) * 1_000, failures: 0 }));
    this.running = this.run();
  }

  /** No job begins any more; resolves once the one that is at work has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (this.plans.length > 0 && !signal.aborted) {
      const next = this.plans.reduce((a, b) => (b.dueMicros < a.dueMicros ? b : a));
      const waitMicros = next.dueMicros - this.options.nowMicros();
      if (waitMicros > 0) await this.options.sleep(Math.ceil(waitMicros / 1_000), signal);
      else await this.do(next);
    }
  }

  private async do(plan: Plan): Promise<void> {
    const { nowMicros, onEvent } = this.options;
    const { signal } = this.stopping;
    const { name, everyMilliseconds, work } = plan.job;
    const begun = nowMicros();
    try {
      await work(signal);
      const ended = nowMicros();
      plan.failures = 0;
      plan.dueMicros = ended + Math.max(everyMilliseconds * 1_000, REST_FOR_EACH_MICRO_OF_WORK * (ended - begun));
      onEvent({ what: 'done', job: name, milliseconds: (ended - begun) / 1_000 });
    } catch (error) {
      if (signal.aborted) return;
      const retryInMilliseconds = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** plan.failures++);
      plan.dueMicros = nowMicros() + retryInMilliseconds * 1_000;
      onEvent({ what: 'failed', job: name, error, retryInMilliseconds });
    }
  }
}
