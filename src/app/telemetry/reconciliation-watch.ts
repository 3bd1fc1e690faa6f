import { AdvertiseXError } from '../../domain/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Check, Reconciliation } from '../recon.ts';

export interface ReconciliationWatchOptions {
  /** To be checked in turn; what a check reads ends once `stop` is aborted. */
  readonly checks: (stop: AbortController) => readonly Check[];
  /** From the start of one round to that of the next, at least. */
  readonly everySeconds: number;
  /** Batches have more to do than they can: nothing is checked meanwhile. */
  readonly isBusy: () => boolean;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly nowMicros: () => number;
  /** Seconds of a clock that nobody sets. */
  readonly nowSeconds: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** So soon after the start that what is broken shows, and so late that what waited in the log comes first. */
const FIRST_SECONDS = 60;
/** After each check it rests so many times as long as that took: reconciling reads all history, and gets a twentieth of the time at most. */
const REST = 19;
const BUSY_SECONDS = 5;

/** Checks what must always hold while batches go on, one equation after the other, and tells what it finds. */
export class ReconciliationWatch {
  private readonly options: ReconciliationWatchOptions;
  private readonly stopping = new AbortController();
  private readonly broken = new Set<string>();
  private readonly running: Promise<void>;

  constructor(options: ReconciliationWatchOptions) {
    this.options = options;
    this.running = this.run();
  }

  get isBroken(): boolean {
    return this.broken.size > 0;
  }

  /** Stops what is being checked: nobody waits for an answer. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { everySeconds, nowSeconds } = this.options;
    await this.sleep(Math.min(FIRST_SECONDS, everySeconds));
    while (!this.isStopping) {
      const start = nowSeconds();
      await this.checkAll();
      await this.sleep(start + everySeconds - nowSeconds());
    }
  }

  private async checkAll(): Promise<void> {
    const { checks, isBusy, metrics, log, nowMicros, nowSeconds } = this.options;
    let seconds = 0;
    let isComplete = true;
    for (const check of checks(this.stopping)) {
      while (isBusy() && !this.isStopping) await this.sleep(BUSY_SECONDS);
      if (this.isStopping) return;
      const start = nowSeconds();
      const isChecked = await this.checkOne(check);
      isComplete &&= isChecked;
      const took = nowSeconds() - start;
      seconds += took;
      await this.sleep(REST * took);
    }
    if (this.isStopping || !isComplete) return;
    metrics.set('advertisex_reconciliation_duration_seconds', {}, seconds);
    metrics.set('advertisex_reconciliation_timestamp_seconds', {}, nowMicros() / 1_000_000);
    if (!this.isBroken) log({ level: 'debug', event: 'reconciled', message: 'Reconciled: all equations hold.', fields: { seconds } });
  }

  /** False where it could not be checked. */
  private async checkOne(check: Check): Promise<boolean> {
    const { metrics, log } = this.options;
    try {
      let found = await check.run();
      // A batch that was committed between two of its statements looks like a difference once, and not twice.
      if (!found.holds && !check.seesOneState) found = await check.run();
      metrics.set('advertisex_reconciliation_difference_rows', { equation: check.label }, found.brokenRows);
      if (found.holds) this.broken.delete(check.label);
      else this.tellBroken(check, found);
      return true;
    } catch (error) {
      if (this.isStopping) return false;
      const why = error instanceof AdvertiseXError ? error.message : String(error);
      log({
        level: 'warn',
        event: 'reconciliation_failed',
        message: `The equation ${check.label} could not be checked, and is checked again next time: ${why}.`,
        fields: { equation: check.label },
        error,
      });
      return false;
    }
  }

  private tellBroken({ label }: Check, { brokenRows, statement }: Reconciliation): void {
    this.broken.add(label);
    this.options.log({
      level: 'warn',
      event: 'reconciliation_broken',
      message: `The equation ${label} does not hold (${statement}): ${brokenRows} rows break it. \`advertisex recon\` shows them.`,
      fields: { equation: label, rows: brokenRows },
    });
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async sleep(seconds: number): Promise<void> {
    if (seconds > 0 && !this.isStopping) await this.options.sleep(seconds * 1_000, this.stopping.signal);
  }
}
