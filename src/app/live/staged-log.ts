import type { ConflictingRecord } from '../../batches/batch.ts';
import type { Receipt } from '../../collector/collector.ts';
import type { CollectorLog } from '../../collector/log/collector-log.ts';
import type { LogEntry, LogPosition } from '../../collector/log/log-entry.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { Feed } from '../../domain/feeds.ts';
import { DeliveryStager, rawRecordOf, type StagedDeliveries } from '../../ingest/delivery-stager.ts';
import type { EdgeSettings } from '../../ingest/edge-settings.ts';
import type { RawRecord } from '../../staging/staged-chunk.ts';
import { edgeSettings } from '../edge-settings.ts';
import type { Instance } from '../instance.ts';
import { decompressBody } from './decompress-body.ts';
import { COLLECTOR_SOURCE, firstToRead, logPositions } from './log-positions.ts';

/** An entry whose rows wait for a batch: where its records are numbered from is how one of them is found in the log again. */
export interface StagedEntry {
  readonly position: LogPosition;
  readonly feed: Feed;
  readonly firstRecord: number;
}

/** What the next batches are made of. */
export interface StagedPart extends StagedDeliveries {
  readonly entries: readonly StagedEntry[];
  /** All entries before it are in this part, or were in one before. */
  readonly upTo: LogPosition;
}

/**
 * The entries of the log that no batch has committed yet, decoded and staged in the order of the log. They are staged as they come;
 * a process that starts, and one that could not stage something, stages them from the log.
 */
export class StagedLog {
  private readonly instance: Instance;
  private readonly log: CollectorLog;
  private readonly maxBodyBytes: number;
  private stager!: DeliveryStager;
  private edge!: EdgeSettings;
  /** Rates changed: what comes once nothing is staged is decoded with these. */
  private nextEdge: EdgeSettings | undefined;
  private nextEntry: LogPosition = 0;
  /** Entries that wait for those before them, by position. */
  private readonly waitingForTurn = new Map<LogPosition, () => void>();
  private entries: StagedEntry[] = [];
  /** Nothing can be taken from here, nor brought here, before it is restaged. */
  isBroken = true;
  /** Records that are staged, and those of parts that are not settled. */
  waitingRecords = 0;
  /** The same of entries. */
  waitingEntries = 0;

  constructor(instance: Instance, log: CollectorLog, maxBodyBytes: number) {
    this.instance = instance;
    this.log = log;
    this.maxBodyBytes = maxBodyBytes;
  }

  /** The entries before it are staged here, or were. */
  get stagedUpTo(): LogPosition {
    return this.nextEntry;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** An entry that the log has on disk: staged once those before it are. */
  async add(position: LogPosition, entry: LogEntry, bytes: Uint8Array): Promise<Receipt> {
    if (position > this.nextEntry) await new Promise<void>((resolve) => this.waitingForTurn.set(position, resolve));
    if (this.isBroken || position < this.nextEntry) {
      // It is in the log, and will be in the tables; what became of its records is not known here any more.
      throw new AdvertiseXError('server_busy', 'The collector reads its log again', 'Send it again: a record is taken once, however often it comes.');
    }
    try {
      return this.stage(position, entry, bytes);
    } catch (error) {
      this.isBroken = true;
      throw error;
    } finally {
      this.pass(position + 1);
    }
  }

  /** What is staged becomes the part of the next batches. Rows that cannot be written break it. */
  flush(): StagedPart {
    const upTo = this.nextEntry;
    try {
      const staged = this.stager.flush();
      const { entries } = this;
      this.entries = [];
      this.adoptRates();
      return { ...staged, entries, upTo };
    } catch (error) {
      this.isBroken = true;
      throw error;
    }
  }

  /** The rates that are committed are used for what comes, once nothing is staged by those of before. */
  async useCommittedRates(): Promise<void> {
    this.nextEdge = await edgeSettings(this.instance);
    if (this.isEmpty) this.adoptRates();
  }

  /** Forgets what is staged, and stages all that the log has and the tables have not. Says how many entries. */
  async restage(): Promise<number> {
    const { instance, log } = this;
    const positions = await logPositions(instance, COLLECTOR_SOURCE);
    this.edge = await edgeSettings(instance);
    this.nextEdge = undefined;
    this.stager = new DeliveryStager({ edge: this.edge, source: COLLECTOR_SOURCE, directory: instance.directory.staging, nextRecords: positions.nextRecords });
    this.entries = [];
    this.waitingRecords = 0;
    this.waitingEntries = 0;
    let next = firstToRead(positions);
    // Until nothing was added meanwhile: from then on each entry is staged by whoever brought it.
    for (let upTo = log.nextPosition; next < upTo; upTo = log.nextPosition) {
      for await (const { position, entry } of log.read(next)) {
        if (position >= upTo) break;
        if (position < (positions.nextEntries.get(entry.feed) ?? 0)) continue;
        this.stage(position, entry, await decompressBody(entry.body, this.maxBodyBytes));
      }
      next = upTo;
    }
    this.isBroken = false;
    for (const position of [...this.waitingForTurn.keys()]) if (position < next) this.pass(position);
    this.pass(Math.max(next, log.nextPosition));
    return this.entries.length;
  }

  /** A record's bytes, from the log again; none where the log has been damaged since. */
  async readRaw({ feed, position }: ConflictingRecord, entries: readonly StagedEntry[]): Promise<RawRecord> {
    const nothing: RawRecord = { raw: new Uint8Array(0), encoding: 'json', delimiter: ',', contractVersion: '' };
    const staged = entries.findLast((entry) => entry.feed === feed && entry.firstRecord <= position);
    if (staged === undefined) return nothing;
    for await (const found of this.log.read(staged.position)) {
      if (found.position !== staged.position) break;
      const bytes = await decompressBody(found.entry.body, this.maxBodyBytes);
      return rawRecordOf({ ...found.entry, bytes }, this.edge, staged.firstRecord, position) ?? nothing;
    }
    return nothing;
  }

  private stage(position: LogPosition, { feed, encoding, delimiter, receivedAtMicros }: LogEntry, bytes: Uint8Array): Receipt {
    this.entries.push({ position, feed, firstRecord: this.stager.nextRecord(feed) });
    const receipt = this.stager.stage({ feed, encoding, delimiter, receivedAtMicros, bytes });
    this.waitingRecords += receipt.received;
    this.waitingEntries++;
    return receipt;
  }

  /** Lets the entry at this position be next. */
  private pass(position: LogPosition): void {
    this.nextEntry = position;
    const next = this.waitingForTurn.get(position);
    this.waitingForTurn.delete(position);
    next?.();
  }

  private adoptRates(): void {
    if (this.nextEdge === undefined) return;
    this.edge = this.nextEdge;
    this.nextEdge = undefined;
    this.stager.useSettings(this.edge);
  }
}
