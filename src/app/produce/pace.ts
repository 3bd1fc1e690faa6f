import { setTimeout as wait } from 'node:timers/promises';

export interface PaceClock {
  nowMillis(): number;
  wait(millis: number, signal: AbortSignal): Promise<void>;
}

const CLOCK: PaceClock = { nowMillis: () => performance.now(), wait: (millis, signal) => wait(millis, undefined, { signal }) };

/** Keeps to a number of records a second, on the whole: what was late is made up for within a second. */
export class Pace {
  private readonly perSecond: number | undefined;
  private readonly clock: PaceClock;
  private dueMillis: number;

  /** Without a rate it never waits. */
  constructor(perSecond: number | undefined, clock: PaceClock = CLOCK) {
    this.perSecond = perSecond;
    this.clock = clock;
    this.dueMillis = clock.nowMillis();
  }

  /** So many at once keep the pace even: ten times a second, or each by itself. */
  get portion(): number {
    return this.perSecond === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(this.perSecond / 10));
  }

  /** Until so many may go. */
  async waitFor(records: number, signal: AbortSignal): Promise<void> {
    if (this.perSecond === undefined) return;
    const { clock } = this;
    const delay = this.dueMillis - clock.nowMillis();
    if (delay > 0) await clock.wait(delay, signal);
    this.dueMillis = Math.max(this.dueMillis, clock.nowMillis() - 1_000) + (1_000 * records) / this.perSecond;
  }
}
