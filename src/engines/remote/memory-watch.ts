import { type AdvertiseXError, queryTooLarge } from '../../domain/errors.ts';
import type { EngineMemory, SharedEngine } from '../engine.ts';

export interface WatchLimits {
  readonly spillBytes: number;
  readonly watchEveryMs?: number;
}

/** Bytes. */
interface InUse {
  /** What the process has and the engine does not count. */
  readonly uncounted: number;
  /** What the engine has and cannot put on disk. */
  readonly fixed: number;
  /** What the engine has on disk for want of memory. */
  readonly spilled: number;
}

function eachOf(a: InUse, b: InUse, of: (a: number, b: number) => number): InUse {
  return { uncounted: of(a.uncounted, b.uncounted), fixed: of(a.fixed, b.fixed), spilled: of(a.spilled, b.spilled) };
}

const WATCH_EVERY_MS = 100;
/** Of the engine's memory, that statements may fill with what cannot be put on disk: the rest is for batches. */
const FIXED_SHARE = 0.6;
/** Of the engine's memory, that statements may take past its count: the states of some aggregates (`median`) are not in it. */
const UNCOUNTED_SHARE = 0.5;

/**
 * An engine has one limit of memory for all that it runs, and cannot tell which statement has how much. Sorts and joins that do not fit go
 * to disk, which leaves batches slower but whole; what cannot go there takes memory from batches, or from the machine. So while statements
 * of others run this looks at what is in use, and where it is too much stops the one that has been at work the longest: what takes
 * much takes long.
 */
export class MemoryWatch {
  private readonly engine: Pick<SharedEngine, 'memory'>;
  private readonly limits: WatchLimits;
  /** In the order in which they came to work, each with the least that was in use since it was seen first. */
  private readonly atWork = new Map<AbortController, InUse | undefined>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();

  constructor(engine: Pick<SharedEngine, 'memory'>, limits: WatchLimits) {
    this.engine = engine;
    this.limits = limits;
  }

  /** Whoever can be stopped by `stop` is at work until this resolves. */
  async during<T>(stop: AbortController, work: () => Promise<T>): Promise<T> {
    this.atWork.set(stop, undefined);
    this.lookLater();
    try {
      return await work();
    } finally {
      this.atWork.delete(stop);
    }
  }

  /** Once nobody is at work any more. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.looking;
  }

  /** What takes less than the time between two looks is never looked at. */
  private lookLater(): void {
    this.timer ??= setTimeout(() => {
      this.looking = this.look().finally(() => {
        this.timer = undefined;
        if (this.atWork.size > 0) this.lookLater();
      });
    }, this.limits.watchEveryMs ?? WATCH_EVERY_MS).unref();
  }

  private async look(): Promise<void> {
    // One that was stopped gives back what it has when it ends.
    if ([...this.atWork.keys()].some(({ signal }) => signal.aborted)) return;
    // Where even that fails, whoever needs the engine will be told by the engine.
    const memory = await this.engine.memory().catch(() => undefined);
    if (memory === undefined) return;
    const now: InUse = { uncounted: process.memoryUsage.rss() - memory.usedBytes, fixed: memory.fixedBytes, spilled: memory.spilledBytes };
    for (const [stop, before = now] of this.atWork) {
      this.atWork.set(stop, eachOf(now, before, Math.min));
      // What is in use when somebody comes is not theirs.
      const reason = this.tooMuch(
        memory,
        eachOf(now, before, (is, was) => is - was),
      );
      if (reason === undefined) continue;
      stop.abort(reason);
      return;
    }
  }

  private tooMuch({ limitBytes }: EngineMemory, added: InUse): AdvertiseXError | undefined {
    const { spillBytes } = this.limits;
    if (added.spilled > spillBytes) return queryTooLarge(`The query needs more than ${megabytes(spillBytes)} on disk (limits.query_spill)`);
    if (added.fixed > limitBytes * FIXED_SHARE) return queryTooLarge('The query needs memory that batches need (limits.memory)');
    if (added.uncounted > limitBytes * UNCOUNTED_SHARE) return queryTooLarge('The query needs more memory than there is for queries (limits.memory)');
    return undefined;
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000).toLocaleString('en')} MB`;
}
