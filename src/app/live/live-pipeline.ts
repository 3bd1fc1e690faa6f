import { rm } from 'node:fs/promises';
import type { BatchCause, SourcePosition } from '../../batches/batch.ts';
import type { Collector, Delivery, Receipt } from '../../collector/collector.ts';
import type { CollectorLog } from '../../collector/log/collector-log.ts';
import type { LogPosition } from '../../collector/log/log-entry.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { EVENT_FEEDS, type Feed, REFERENCE_FEEDS } from '../../domain/feeds.ts';
import type { Instance } from '../instance.ts';
import { decompressBody } from './decompress-body.ts';
import type { SourceStatus } from './live-source.ts';
import type { LogArchive } from './log-archive.ts';
import { COLLECTOR_SOURCE } from './log-positions.ts';
import { requireFewRecords } from './require-few-records.ts';
import { StagedLog, type StagedPart } from './staged-log.ts';

export interface LiveOptions {
  readonly instance: Instance;
  readonly log: CollectorLog;
  readonly limits: LiveLimits;
  /** Where what was taken is kept before the log drops it. */
  readonly archive?: LogArchive | undefined;
  /** Why there is no room to take records; undefined while there is. */
  readonly room?: (() => LiveTrouble | undefined) | undefined;
  readonly onEvent: (event: LiveEvent) => void;
  /** Resolves after so many milliseconds, or once the signal is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export interface LiveLimits {
  /** Of one delivery, decompressed. */
  readonly bodyBytes: number;
  /** Of one delivery. */
  readonly deliveryRecords: number;
  /** Records that wait to be applied: beyond, deliveries are refused. */
  readonly waitingRecords: number;
  /** From the end of a batch to the start of the next one: what comes meanwhile goes together. */
  readonly gatherMilliseconds: number;
}

export const LIVE_LIMITS: LiveLimits = { bodyBytes: 67_108_864, deliveryRecords: 200_000, waitingRecords: 1_000_000, gatherMilliseconds: 100 };

/** What operators are told. */
export type LiveEvent =
  | { readonly what: 'recovered'; readonly entries: number; readonly records: number }
  | { readonly what: 'failed'; readonly error: unknown; readonly retryInMilliseconds: number }
  /** What is in the tables could not be archived, or not be dropped from the log: it stays there, and is tried again. */
  | { readonly what: 'archive_failed' | 'log_kept'; readonly error: unknown };

export interface LiveTrouble {
  readonly code: 'stopping' | 'failing' | 'behind' | 'disk_full';
  readonly message: string;
}

const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 30_000;

/**
 * From the collector's log into the tables, as it comes. A delivery is acknowledged once the log has it on disk and its records
 * are staged; the next batch applies them, and commits how far it took the log. What a process did not come to, the next one finds
 * in the log.
 */
export class LivePipeline implements Collector {
  private readonly options: LiveOptions;
  private readonly staged: StagedLog;
  private failing: Error | undefined;
  /** The entries of the log before it are in the tables. */
  private appliedUpTo: LogPosition = 0;
  private takenRecords = 0;
  private readonly stopping = new AbortController();
  private readonly taking = new Set<Promise<Receipt>>();
  private wake: () => void = () => undefined;
  /** How often rates were committed, by whatever source, and how many of those times what comes is decoded with. */
  private ratesCommitted = 0;
  private ratesUsed = 0;
  private stopListening: () => void = () => undefined;
  private running: Promise<void> | undefined;

  private constructor(options: LiveOptions) {
    this.options = options;
    this.staged = new StagedLog(options.instance, options.log, options.limits.bodyBytes);
  }

  /** Begins with what the log has that the tables have not. */
  static async start(options: LiveOptions): Promise<LivePipeline> {
    const pipeline = new LivePipeline(options);
    pipeline.stopListening = options.instance.batches.onCommitted((_, { chunks }) => {
      if (!chunks.some(({ feed }) => feed === 'currency-rates')) return;
      pipeline.ratesCommitted++;
      pipeline.wake();
    });
    await pipeline.restage().catch((error) => {
      pipeline.stopListening();
      throw error;
    });
    pipeline.running = pipeline.run();
    // Whoever stops the pipeline is told.
    pipeline.running.catch(() => undefined);
    return pipeline;
  }

  take(delivery: Delivery): Promise<Receipt> {
    const receipt = this.append(delivery);
    this.taking.add(receipt);
    const taken = () => {
      this.taking.delete(receipt);
      this.wake();
    };
    receipt.then(taken, taken);
    return receipt;
  }

  /** Why nothing is taken at the moment, or nothing gets into the tables; in words for anyone. */
  get troubles(): LiveTrouble[] {
    const troubles: LiveTrouble[] = [];
    if (this.stopping.signal.aborted) troubles.push({ code: 'stopping', message: 'The collector is stopping' });
    if (this.failing !== undefined) troubles.push({ code: 'failing', message: 'What was taken cannot be applied at the moment, and is tried again' });
    if (this.staged.waitingRecords >= this.options.limits.waitingRecords) troubles.push({ code: 'behind', message: 'Too much waits to be applied' });
    const full = this.options.room?.();
    if (full !== undefined) troubles.push(full);
    return troubles;
  }

  get isArchiveFailing(): boolean {
    return this.options.archive?.isFailing === true;
  }

  /** What is on its way from a sender to the tables. */
  get waiting(): { readonly records: number; readonly entries: number; readonly logBytes: number } {
    return { records: this.staged.waitingRecords, entries: this.staged.waitingEntries, logBytes: this.options.log.bytes };
  }

  status(): SourceStatus {
    const [trouble] = this.troubles;
    const isTaking = this.staged.waitingRecords > 0 || this.hasNewRates;
    const state = this.stopping.signal.aborted ? 'stopped' : this.failing !== undefined ? 'failing' : isTaking ? 'taking' : 'idle';
    return {
      name: COLLECTOR_SOURCE,
      state,
      takenRecords: this.takenRecords,
      takenFiles: 0,
      waiting: this.staged.waitingRecords,
      refusedFiles: 0,
      trouble: this.failing?.message ?? trouble?.message ?? '',
    };
  }

  /** Refuses what comes from now on, and commits what came before. Rejects where that cannot be done: it is in the log. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled(this.taking);
    await this.options.log.close();
    this.wake();
    await this.running;
    await this.clearLog('all');
    this.stopListening();
  }

  private async append({ feed, encoding, delimiter, body, hold }: Delivery): Promise<Receipt> {
    const { instance, log, limits, room } = this.options;
    const { isBroken, waitingRecords } = this.staged;
    if (this.stopping.signal.aborted) throw busy('The collector is stopping', 'Send it again when it has started.');
    if (isBroken) throw busy('The collector reads its log again', 'Send it again in a moment.');
    if (waitingRecords >= limits.waitingRecords) throw busy(`${waitingRecords} records wait to be applied`, 'Send it again in a moment, or send less at once.');
    const full = room?.();
    if (full !== undefined) throw new AdvertiseXError('disk_full', full.message, 'Send it again later: records are taken again once there is room.');
    const bytes = await decompressBody(body, limits.bodyBytes, hold);
    requireFewRecords({ encoding, delimiter }, bytes, limits.deliveryRecords);
    const entry = { feed, encoding, delimiter, receivedAtMicros: instance.nowMicros(), body };
    const receipt = await this.staged.add(await log.append(entry), entry, bytes);
    this.takenRecords += receipt.received;
    return receipt;
  }

  private async run(): Promise<void> {
    const { sleep, limits } = this.options;
    for (;;) {
      while (this.staged.isEmpty && !this.staged.isBroken && !this.hasNewRates) {
        if (this.stopping.signal.aborted) return;
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
      if (this.hasNewRates) await this.useNewRates();
      if (this.staged.isEmpty && !this.staged.isBroken) continue;
      const part = await this.retrying(async () => {
        if (this.staged.isBroken) await this.restage();
        return this.staged.flush();
      });
      await this.apply(part);
      if (!this.stopping.signal.aborted) await sleep(limits.gatherMilliseconds, this.stopping.signal);
    }
  }

  private useNewRates(): Promise<void> {
    return this.retrying(async () => {
      const committed = this.ratesCommitted;
      await this.staged.useCommittedRates();
      this.ratesUsed = committed;
    });
  }

  private get hasNewRates(): boolean {
    return this.ratesUsed < this.ratesCommitted;
  }

  private async restage(): Promise<void> {
    const entries = await this.staged.restage();
    if (this.staged.isEmpty) this.appliedUpTo = this.staged.stagedUpTo;
    if (entries > 0) this.options.onEvent({ what: 'recovered', entries, records: this.staged.waitingRecords });
  }

  /** Reference data before the events that are resolved with it. */
  private async apply(part: StagedPart): Promise<void> {
    await this.applyFeeds(part, 'reference', REFERENCE_FEEDS);
    await this.applyFeeds(part, 'late', EVENT_FEEDS);
    this.staged.waitingEntries -= part.entries.length;
    this.appliedUpTo = part.upTo;
    const cleared = this.clearLog('segments');
    // It is work for the time between batches.
    if (this.options.archive === undefined) await cleared;
  }

  /** What the log need not keep any more goes, into the archive first where there is one. What stays does no harm. */
  private async clearLog(which: 'segments' | 'all'): Promise<void> {
    const { log, archive, onEvent } = this.options;
    await archive?.archiveUpTo(this.appliedUpTo, which).catch((error) => onEvent({ what: 'archive_failed', error }));
    await log.dropBefore(Math.min(this.appliedUpTo, archive?.archivedUpTo ?? this.appliedUpTo)).catch((error) => onEvent({ what: 'log_kept', error }));
  }

  private async applyFeeds(part: StagedPart, cause: BatchCause, feeds: readonly Feed[]): Promise<void> {
    const { instance } = this.options;
    const chunks = part.chunks.filter(({ feed }) => feeds.includes(feed));
    // An entry without a record needs no batch: it does no harm where it is read again.
    if (chunks.length === 0) return;
    await this.retrying(() =>
      instance.batches.apply({
        cause,
        chunks,
        files: [],
        positions: positionsOf(part, feeds),
        stagingDirectory: instance.directory.staging,
        readRaw: (records) => Promise.all(records.map((record) => this.staged.readRaw(record, part.entries))),
      }),
    );
    this.staged.waitingRecords -= chunks.reduce((sum, { received }) => sum + received, 0);
    for (const { segments } of chunks) for (const { path } of segments) await rm(path, { force: true });
  }

  /** What fails is tried until it does not; a pipeline that is to stop tries once. */
  private async retrying<T>(work: () => Promise<T>): Promise<T> {
    for (let wait = RETRY_FIRST_MS; ; wait = Math.min(RETRY_LAST_MS, 2 * wait)) {
      try {
        const result = await work();
        this.failing = undefined;
        return result;
      } catch (error) {
        if (this.stopping.signal.aborted) throw error;
        this.failing = error as Error;
        this.options.onEvent({ what: 'failed', error, retryInMilliseconds: wait });
        await this.options.sleep(wait, this.stopping.signal);
      }
    }
  }
}

/** How far the part takes the log, by feed. */
function positionsOf({ entries, nextRecords, unknownFields }: StagedPart, feeds: readonly Feed[]): SourcePosition[] {
  const last = new Map(entries.map(({ feed, position }) => [feed, position]));
  return [...nextRecords]
    .filter(([feed]) => feeds.includes(feed))
    .map(([feed, nextRecord]) => ({
      source: COLLECTOR_SOURCE,
      feed,
      nextEntry: (last.get(feed) as number) + 1,
      nextRecord,
      unknownFields: [...(unknownFields.get(feed) ?? [])],
    }));
}

function busy(message: string, remedy: string): AdvertiseXError {
  return new AdvertiseXError('server_busy', message, remedy);
}
