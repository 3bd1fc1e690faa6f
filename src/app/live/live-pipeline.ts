import { rm } from 'node:fs/promises';
import { applyBatch } from '../../batches/apply-batch.ts';
import type { BatchCause, CommittedBatch, ConflictingRecord, SourcePosition } from '../../batches/batch.ts';
import type { Collector, Delivery, Receipt } from '../../collector/collector.ts';
import type { CollectorLog } from '../../collector/log/collector-log.ts';
import type { LogEntry, LogPosition } from '../../collector/log/log-entry.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { type Feed, REFERENCE_FEEDS } from '../../domain/feeds.ts';
import { type DeliveredChunk, DeliveryStager, rawRecordOf, type StagedDeliveries } from '../../ingest/delivery-stager.ts';
import type { EdgeSettings } from '../../ingest/edge-settings.ts';
import type { RawRecord } from '../../staging/staged-chunk.ts';
import { edgeSettings } from '../edge-settings.ts';
import type { Instance } from '../instance.ts';
import { decompressBody } from './decompress-body.ts';
import { COLLECTOR_SOURCE, firstToRead, logPositions } from './log-positions.ts';

export interface LiveOptions {
  readonly instance: Instance;
  readonly log: CollectorLog;
  readonly limits: LiveLimits;
  readonly onEvent: (event: LiveEvent) => void;
  /** Resolves after so many milliseconds, or once the signal is aborted. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export interface LiveLimits {
  /** Of one delivery, decompressed. */
  readonly bodyBytes: number;
  /** Records that wait to be applied: beyond, deliveries are refused. */
  readonly waitingRecords: number;
  /** From the end of a batch to the start of the next one: what comes meanwhile goes together. */
  readonly gatherMilliseconds: number;
}

export const LIVE_LIMITS: LiveLimits = { bodyBytes: 67_108_864, waitingRecords: 1_000_000, gatherMilliseconds: 100 };

/** What operators are told. */
export type LiveEvent =
  | { readonly what: 'recovered'; readonly entries: number; readonly records: number }
  | { readonly what: 'committed'; readonly batch: CommittedBatch; readonly cause: BatchCause }
  | { readonly what: 'failed'; readonly error: unknown; readonly retryInMilliseconds: number };

const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 30_000;

/** Where the records of an entry are numbered from: how a record is found in the log again. */
interface StagedEntry {
  readonly position: LogPosition;
  readonly feed: Feed;
  readonly firstRecord: number;
}

/**
 * From the collector's log into the tables, as it comes. A delivery is acknowledged once the log has it on disk; it is decoded
 * right then, in the order of the log, and its rows wait for the next batch, which commits how far it took the log. A process that
 * ends before that decodes the rest of the log again when it starts.
 */
export class LivePipeline implements Collector {
  private readonly options: LiveOptions;
  private stager!: DeliveryStager;
  private edge!: EdgeSettings;
  /** Rates changed: deliveries after the next flush are decoded with these. */
  private nextEdge: EdgeSettings | undefined;
  /** Something went wrong with what is staged: it is staged anew from the log, and nothing is taken before that. */
  private isStagedWrong = true;
  /** Entries are decoded in the order of the log, whichever of those that wait for them is told first. */
  private nextEntry: LogPosition = 0;
  private readonly acknowledged = new Map<LogPosition, () => void>();
  private entries: StagedEntry[] = [];
  private waiting = 0;
  private failing: unknown;
  private readonly stopping = new AbortController();
  private wake: () => void = () => undefined;
  private running: Promise<void> | undefined;
  private readonly taking = new Set<Promise<Receipt>>();

  private constructor(options: LiveOptions) {
    this.options = options;
  }

  /** Decodes what the log has that the tables have not, and goes on from there. */
  static async start(options: LiveOptions): Promise<LivePipeline> {
    const pipeline = new LivePipeline(options);
    await pipeline.stageFromLog();
    pipeline.running = pipeline.run();
    // Whoever stops the pipeline is told.
    pipeline.running.catch(() => undefined);
    return pipeline;
  }

  take(delivery: Delivery): Promise<Receipt> {
    const receipt = this.takeInTurn(delivery);
    this.taking.add(receipt);
    const taken = () => void this.taking.delete(receipt);
    receipt.then(taken, taken);
    return receipt;
  }

  private async takeInTurn({ feed, encoding, delimiter, body }: Delivery): Promise<Receipt> {
    const { instance, log, limits } = this.options;
    this.requireRoom();
    const bytes = await decompressBody(body, limits.bodyBytes);
    const entry: LogEntry = { feed, encoding, delimiter, receivedAtMicros: instance.nowMicros(), body };
    const position = await log.append(entry);
    if (position > this.nextEntry) await new Promise<void>((resolve) => this.acknowledged.set(position, resolve));
    // It is in the log, and will be in the tables; what became of its records is not known here any more.
    if (this.isStagedWrong || position < this.nextEntry)
      throw busy('What it holds is being staged again', 'Send it again: records are taken once, however often they come.');
    try {
      return this.stage(position, entry, bytes);
    } catch (error) {
      this.isStagedWrong = true;
      throw error;
    } finally {
      this.pass(position + 1);
      this.wake();
    }
  }

  /** Why nothing is taken at the moment, if so. */
  get trouble(): string | undefined {
    if (this.stopping.signal.aborted) return 'it is stopping';
    if (this.failing !== undefined) return `batches fail: ${(this.failing as Error).message}`;
    return this.waiting >= this.options.limits.waitingRecords ? `${this.waiting} records wait to be applied` : undefined;
  }

  /** Refuses what comes from now on, and commits what came before. Rejects where that cannot be done: it is in the log. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled(this.taking);
    await this.options.log.close();
    this.wake();
    await this.running;
  }

  private requireRoom(): void {
    const { waitingRecords } = this.options.limits;
    if (this.stopping.signal.aborted) throw busy('The collector is stopping', 'Send it again when it has started.');
    if (this.isStagedWrong) throw busy('The collector reads its log again', 'Send it again in a moment.');
    if (this.waiting >= waitingRecords) throw busy(`${this.waiting} records wait to be applied`, 'Send it again in a moment, or send less at once.');
  }

  /** Lets the entry at this position be next. */
  private pass(position: LogPosition): void {
    this.nextEntry = position;
    const next = this.acknowledged.get(position);
    this.acknowledged.delete(position);
    next?.();
  }

  /** Forgets what is staged, and stages all that the log has and the tables have not. */
  private async stageFromLog(): Promise<void> {
    const { instance, log, limits, onEvent } = this.options;
    const positions = await logPositions(instance.engine, COLLECTOR_SOURCE);
    this.edge = await edgeSettings(instance);
    this.nextEdge = undefined;
    this.stager = new DeliveryStager({ edge: this.edge, source: COLLECTOR_SOURCE, directory: instance.directory.staging, nextRecords: positions.nextRecords });
    this.entries = [];
    this.waiting = 0;
    let next = firstToRead(positions);
    // Until nothing was added meanwhile: from then on each entry is staged by whoever brought it.
    for (let upTo = log.nextPosition; next < upTo; upTo = log.nextPosition) {
      for await (const { position, entry } of log.read(next)) {
        if (position >= upTo) break;
        if (position < (positions.nextEntries.get(entry.feed) ?? 0)) continue;
        this.stage(position, entry, await decompressBody(entry.body, limits.bodyBytes));
      }
      next = upTo;
    }
    if (this.entries.length > 0) onEvent({ what: 'recovered', entries: this.entries.length, records: this.waiting });
    this.isStagedWrong = false;
    for (const position of [...this.acknowledged.keys()]) if (position < next) this.pass(position);
    this.pass(Math.max(next, log.nextPosition));
  }

  private stage(position: LogPosition, { feed, encoding, delimiter, receivedAtMicros }: LogEntry, bytes: Uint8Array): Receipt {
    this.entries.push({ position, feed, firstRecord: this.stager.nextRecord(feed) });
    const receipt = this.stager.stage({ feed, encoding, delimiter, receivedAtMicros, bytes });
    this.waiting += receipt.received;
    return receipt;
  }

  private async run(): Promise<void> {
    const { sleep, limits } = this.options;
    for (;;) {
      if (this.isStagedWrong) await this.retrying(() => this.stageFromLog());
      while (this.entries.length === 0 && !this.isStagedWrong) {
        if (this.stopping.signal.aborted) return;
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
      if (!this.isStagedWrong) await this.applyStaged();
      if (!this.stopping.signal.aborted) await sleep(limits.gatherMilliseconds, this.stopping.signal);
    }
  }

  /** Reference data before the events that are resolved with it. */
  private async applyStaged(): Promise<void> {
    const { log } = this.options;
    const upTo = this.nextEntry;
    const staged = this.flush();
    if (staged === undefined) return;
    const entries = this.entries;
    this.entries = [];
    this.useNextEdge();
    const isReference = (feed: Feed) => (REFERENCE_FEEDS as readonly Feed[]).includes(feed);
    await this.applyPart('reference', isReference, staged, entries);
    await this.applyPart('late', (feed) => !isReference(feed), staged, entries);
    // What came meanwhile is staged by the settings of before; where nothing did, they need not wait for the next flush.
    if (this.entries.length === 0) this.useNextEdge();
    await log.dropBefore(upTo).catch((error) => this.options.onEvent({ what: 'failed', error, retryInMilliseconds: 0 }));
  }

  private flush(): StagedDeliveries | undefined {
    try {
      return this.stager.flush();
    } catch (error) {
      this.isStagedWrong = true;
      this.failing = error;
      this.options.onEvent({ what: 'failed', error, retryInMilliseconds: RETRY_FIRST_MS });
      return undefined;
    }
  }

  private async applyPart(cause: BatchCause, isPart: (feed: Feed) => boolean, staged: StagedDeliveries, all: readonly StagedEntry[]): Promise<void> {
    const entries = all.filter(({ feed }) => isPart(feed));
    if (entries.length === 0) return;
    const chunks = staged.chunks.filter(({ feed }) => isPart(feed));
    // Without a record there is nothing to commit: such an entry does no harm where it is read again.
    if (chunks.length === 0) return;
    const positions = [...new Set(entries.map(({ feed }) => feed))].map(
      (feed): SourcePosition => ({
        source: COLLECTOR_SOURCE,
        feed,
        nextEntry: Math.max(...entries.filter((entry) => entry.feed === feed).map(({ position }) => position)) + 1,
        nextRecord: staged.nextRecords.get(feed) ?? this.stager.nextRecord(feed),
        unknownFields: [...(staged.unknownFields.get(feed) ?? [])],
      }),
    );
    const batch = await this.retrying(() => this.apply(cause, chunks, positions, entries));
    this.waiting -= chunks.reduce((sum, { received }) => sum + received, 0);
    this.options.onEvent({ what: 'committed', batch, cause });
    for (const { segments } of chunks) for (const { path } of segments) await rm(path, { force: true });
    if (positions.some(({ feed }) => feed === 'currency-rates')) this.nextEdge = await edgeSettings(this.options.instance);
  }

  private apply(
    cause: BatchCause,
    chunks: readonly DeliveredChunk[],
    positions: readonly SourcePosition[],
    entries: readonly StagedEntry[],
  ): Promise<CommittedBatch> {
    const { instance } = this.options;
    return applyBatch(instance, {
      cause,
      chunks,
      files: [],
      positions,
      stagingDirectory: instance.directory.staging,
      readRaw: (records) => Promise.all(records.map((record) => this.readRaw(record, entries))),
    });
  }

  /** A record's bytes, from the log again; none where the log has been damaged since. */
  private async readRaw({ feed, position }: ConflictingRecord, entries: readonly StagedEntry[]): Promise<RawRecord> {
    const { log, limits } = this.options;
    const nothing: RawRecord = { raw: new Uint8Array(0), encoding: 'json', delimiter: ',', contractVersion: '' };
    const staged = entries.findLast((entry) => entry.feed === feed && entry.firstRecord <= position);
    if (staged === undefined) return nothing;
    for await (const found of log.read(staged.position)) {
      if (found.position !== staged.position) break;
      const bytes = await decompressBody(found.entry.body, limits.bodyBytes);
      return rawRecordOf({ ...found.entry, bytes }, this.edge, staged.firstRecord, position) ?? nothing;
    }
    return nothing;
  }

  /** What fails for a while is tried until it does not; a pipeline that is to stop tries once. */
  private async retrying<T>(work: () => Promise<T>): Promise<T> {
    for (let wait = RETRY_FIRST_MS; ; wait = Math.min(RETRY_LAST_MS, 2 * wait)) {
      try {
        const result = await work();
        this.failing = undefined;
        return result;
      } catch (error) {
        if (this.stopping.signal.aborted) throw error;
        this.failing = error;
        this.options.onEvent({ what: 'failed', error, retryInMilliseconds: wait });
        await this.options.sleep(wait, this.stopping.signal);
      }
    }
  }

  private useNextEdge(): void {
    if (this.nextEdge === undefined) return;
    this.edge = this.nextEdge;
    this.nextEdge = undefined;
    this.stager.useSettings(this.edge);
  }
}

function busy(message: string, remedy: string): AdvertiseXError {
  return new AdvertiseXError('collector_busy', message, remedy);
}
