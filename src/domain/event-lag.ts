/** Upper bounds of the stretches of time by which lags are counted: from live to what comes after a month. Seconds. */
export const EVENT_LAG_BOUNDS_SECONDS = [
  1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 259_200, 604_800, 1_209_600, 2_592_000,
] as const;

/** How long after they happened events were received: how many in each stretch, the last one without an end. */
export interface EventLag {
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

const BOUNDS_MICROS = EVENT_LAG_BOUNDS_SECONDS.map((seconds) => seconds * 1_000_000);

/** Counts lags without keeping them, a few nanoseconds each: every event of every source is counted. */
export class EventLagTally {
  private readonly counts = new Float64Array(BOUNDS_MICROS.length + 1);
  private sumMicros = 0;

  add(lagMicros: number): void {
    // Clocks of senders may be ahead by some minutes. Below 0 the sum would go down, which none of a histogram may.
    const micros = Math.max(lagMicros, 0);
    let bucket = 0;
    while (bucket < BOUNDS_MICROS.length && micros > (BOUNDS_MICROS[bucket] as number)) bucket++;
    (this.counts[bucket] as number)++;
    this.sumMicros += micros;
  }

  /** What was counted since the last time; undefined: nothing. */
  take(): EventLag | undefined {
    if (!this.counts.some((count) => count > 0)) return undefined;
    const taken = { counts: [...this.counts], sumSeconds: this.sumMicros / 1_000_000 };
    this.reset();
    return taken;
  }

  reset(): void {
    this.counts.fill(0);
    this.sumMicros = 0;
  }
}
