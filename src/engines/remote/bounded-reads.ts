import { AdvertiseXError, stopReason } from '../../domain/errors.ts';
import type { ReadResult, ReadStatement, SharedEngine } from '../engine.ts';
import { MemoryWatch } from './memory-watch.ts';
import { ending } from './serving-failures.ts';
import { Slots } from './slots.ts';

export interface ReadLimits {
  /** From when a statement is asked for to its last row, however slowly they are taken. */
  readonly limitMs: number;
  /** What the engine may put on disk for want of memory while statements of others run. */
  readonly spillBytes: number;
  /** Statements that run or wait, from wherever they come. */
  readonly maxReads?: number;
  readonly watchEveryMs?: number;
}

export interface BoundedResult extends ReadResult {
  /** Aborted, with why, once there are no more rows to come: whoever sends them on waits for nothing. The result is closed then. */
  readonly over: AbortSignal;
}

const MAX_READS = 64;
/** The engine's calls and the file system share the four threads of the process for blocking work: some have to stay free for batches. */
const CALLS_AT_ONCE = 2;

/**
 * The tables of an engine, read by others: by other processes and over HTTP, within limits that all of them share, so that batches
 * come first.
 */
export class BoundedReads {
  private readonly engine: SharedEngine;
  private readonly limits: ReadLimits;
  private readonly slots = new Slots(CALLS_AT_ONCE);
  private readonly watch: MemoryWatch;
  private readonly reads = new Map<AbortController, Promise<void>>();
  private isClosed = false;

  constructor(engine: SharedEngine, limits: ReadLimits) {
    this.engine = engine;
    this.limits = limits;
    this.watch = new MemoryWatch(engine, limits);
  }

  /** `limitMs`: of a statement that nobody waits for. */
  async read(statement: ReadStatement, signal: AbortSignal, limitMs = this.limits.limitMs): Promise<BoundedResult> {
    if (this.isClosed) throw ending();
    if (this.reads.size >= (this.limits.maxReads ?? MAX_READS)) {
      throw new AdvertiseXError('server_busy', `${this.reads.size} queries run or wait already`, 'Ask again in a moment.');
    }
    const stop = new AbortController();
    const over = AbortSignal.any([signal, stop.signal]);
    const left = Promise.withResolvers<void>();
    const timer = setTimeout(() => stop.abort(tookTooLong(limitMs)), limitMs);
    this.reads.set(stop, left.promise);
    const leave = (): void => {
      clearTimeout(timer);
      this.reads.delete(stop);
      left.resolve();
    };
    const call = <T>(work: () => Promise<T>): Promise<T> => this.slots.use(over, () => this.watch.during(stop, work));
    try {
      return bounded(await call(() => this.engine.read(statement, over)), over, call, leave);
    } catch (error) {
      leave();
      throw over.aborted ? stopReason(over, error) : error;
    }
  }

  /** Stops what runs; after this the engine can be closed. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const stop of this.reads.keys()) stop.abort(ending());
    await Promise.all(this.reads.values());
    await this.watch.close();
  }
}

/** Rows that nobody comes for hold on to what they are read from: when it is over the result is closed, whether anybody comes or not. */
function bounded(result: ReadResult, over: AbortSignal, call: <T>(work: () => Promise<T>) => Promise<T>, leave: () => void): BoundedResult {
  let isAtWork = false;
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    over.removeEventListener('abort', closeUnlessAtWork);
    result.close();
    leave();
  };
  const closeUnlessAtWork = (): void => {
    if (!isAtWork) close();
  };
  over.addEventListener('abort', closeUnlessAtWork);
  if (over.aborted) close();
  const next = async () => {
    if (over.aborted) throw stopReason(over);
    isAtWork = true;
    try {
      return await call(result.next);
    } catch (error) {
      throw over.aborted ? stopReason(over, error) : error;
    } finally {
      isAtWork = false;
      if (over.aborted) close();
    }
  };
  return { columns: result.columns, next, close, over };
}

function tookTooLong(limitMs: number): AdvertiseXError {
  return new AdvertiseXError(
    'query_timeout',
    `The query took longer than ${limitMs / 1_000} s, the time to take its rows included`,
    'Ask for less at once, or run the process that holds the data with a higher limits.query_seconds.',
  );
}
