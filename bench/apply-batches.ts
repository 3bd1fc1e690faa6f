/** `apply-batches.ts DATA FRESH N`: takes N batches of fresh files in, one after another in this process, and prints how long each took. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ingestFiles } from '../src/app/ingest-files.ts';
import { EVENT_FEEDS } from '../src/domain/feeds.ts';
import { openHistory } from './open-history.ts';

export interface BatchTimes {
  readonly records: number;
  /** From the first model to the end of the commit: what grows, if anything does. */
  readonly applyMs: number;
  /** With hashing, decoding on workers, and staging, which do not see the history. */
  readonly wholeMs: number;
  readonly stepMs: Readonly<Record<string, number>>;
}

async function applyBatches(data: string, fresh: string, batches: number): Promise<BatchTimes[]> {
  const clock = new StepClock();
  const instance = await openHistory(data, 'write', (step) => clock.enter(step));
  try {
    const slices = await Promise.all(EVENT_FEEDS.map(async (feed) => (await readdir(join(fresh, feed))).toSorted().map((file) => join(fresh, feed, file))));
    const times: BatchTimes[] = [];
    // The first batch warms the caches that a running process has warm.
    for (let slice = 0; slice <= batches && slices.every((files) => slice < files.length); slice++) {
      clock.clear();
      const started = performance.now();
      const { outcomes } = await ingestFiles(
        instance,
        EVENT_FEEDS.map((feed, index) => ({ feed, paths: [slices[index]![slice]!] })),
      );
      const ended = performance.now();
      clock.leave(ended);
      if (slice > 0)
        times.push({
          records: outcomes.received,
          applyMs: clock.committedAt - clock.firstAt,
          wholeMs: ended - started,
          stepMs: Object.fromEntries(clock.stepMs),
        });
    }
    return times;
  } finally {
    await instance.close();
  }
}

class StepClock {
  readonly stepMs = new Map<string, number>();
  firstAt = Number.NaN;
  committedAt = Number.NaN;
  private step: string | undefined;
  private enteredAt = 0;

  clear(): void {
    this.stepMs.clear();
    this.firstAt = Number.NaN;
    this.step = undefined;
  }

  enter(step: string): void {
    const now = performance.now();
    if (Number.isNaN(this.firstAt)) this.firstAt = now;
    this.leave(now);
    if (step === 'committed') this.committedAt = now;
    this.step = step;
    this.enteredAt = now;
  }

  leave(now: number): void {
    if (this.step !== undefined) this.stepMs.set(this.step, (this.stepMs.get(this.step) ?? 0) + now - this.enteredAt);
    this.step = undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [data = '', fresh = '', batches = ''] = process.argv.slice(2);
  console.log(JSON.stringify(await applyBatches(data, fresh, Number(batches))));
}
