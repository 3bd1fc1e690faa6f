import type { AdvertiseXError } from '../../domain/errors.ts';
import { encodeHead, type LogEntry, type LogPosition, placeHead } from './log-entry.ts';
import { entryTooLarge, logBusy, logClosed, logFailure, logStopped } from './log-failure.ts';
import type { LogFile } from './log-files.ts';
import type { LogOptions } from './log-options.ts';
import { encodeSegmentHead, type LogSegment, markEntry, newSegment, SEGMENT_HEAD_BYTES } from './log-segment.ts';
import { type PlacedEntry, readSegments } from './read-segments.ts';

/** An entry that is not on disk yet. */
interface Waiting {
  readonly head: Buffer;
  readonly body: Uint8Array;
  readonly bytes: number;
  readonly resolve: (position: LogPosition) => void;
  readonly reject: (error: AdvertiseXError) => void;
}

/** The segment that is written to. It is always the last one, and made by this opening of the log. */
interface Active {
  readonly segment: LogSegment;
  readonly file: LogFile;
  readonly sinceMicros: number;
}

/**
 * What the collector took, on disk before it says so, in the order it came. Opened by `openLog`.
 *
 * After a failure nothing is known of what was written last: after a failed sync the system may take the bytes for written and
 * never try again, so that another sync that succeeds means nothing. So the segment is cut back to what was synced before, and is
 * never written again. After a full disk the next append begins a new segment; after any other failure, or where the cut fails
 * too, the log takes no more until it is opened again. Reading goes on.
 */
export class CollectorLog {
  readonly #options: LogOptions;
  readonly #segments: LogSegment[];
  #next: LogPosition;
  #active: Active | undefined;
  #queue: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #refusal: AdvertiseXError | undefined;

  constructor(options: LogOptions, segments: LogSegment[]) {
    this.#options = options;
    this.#segments = segments;
    this.#next = Math.max(segments.at(-1)?.nextSequence ?? 0, options.committed);
  }

  /** Behind the last entry that is on disk: what the next one's position will be. */
  get nextPosition(): LogPosition {
    return this.#next;
  }

  /** The first entry that is still here. */
  get firstPosition(): LogPosition {
    return this.#segments[0]?.firstSequence ?? this.#next;
  }

  /** Behind the last entry of the segment that has this one, where that segment is not the last: it takes no more. */
  segmentEnd(position: LogPosition): LogPosition | undefined {
    return this.#segments.slice(0, -1).find(({ nextSequence }) => nextSequence > position)?.nextSequence;
  }

  /** Of entries that wait to be on disk. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Of all its segments. */
  get bytes(): number {
    return this.#segments.reduce((sum, { syncedBytes }) => sum + syncedBytes, 0);
  }

  /** Resolves once the entry survives a loss of power. Rejected, it may be sent again: it was not acknowledged. */
  async append(entry: LogEntry): Promise<LogPosition> {
    const { maxEntryBytes, maxWaitingBytes } = this.#options;
    if (this.#refusal !== undefined) throw this.#refusal;
    const head = encodeHead(entry);
    const bytes = head.length + entry.body.length;
    if (bytes > maxEntryBytes) throw entryTooLarge(bytes, maxEntryBytes);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > maxWaitingBytes) throw logBusy(this.#waitingBytes);
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ head, body: entry.body, bytes, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** The entries from a position on that are on disk by now, in order. Those of dropped segments are passed over. */
  read(from: LogPosition): AsyncGenerator<PlacedEntry> {
    return readSegments(this.#options, this.#segments, from, this.#next);
  }

  /** Removes the segments all of whose entries are before a position: they are committed. The last segment stays: it keeps the count. */
  async dropBefore(position: LogPosition): Promise<void> {
    const { files, folder } = this.#options;
    const droppable = this.#segments.slice(0, -1).filter(({ nextSequence }) => nextSequence <= position);
    if (droppable.length === 0) return;
    try {
      for (const segment of droppable) {
        await files.remove(segment.path);
        this.#segments.splice(this.#segments.indexOf(segment), 1);
      }
      await files.syncFolder(folder);
    } catch (cause) {
      throw logFailure(folder, 'written', cause);
    }
  }

  /** Refuses what comes from now on, and waits for what came before. */
  async close(): Promise<void> {
    this.#refusal ??= logClosed(this.#options.folder);
    await this.#writing;
    await this.#leaveSegment();
  }

  /** Writes until nothing waits. What comes while a group is synced is the next group. */
  async #write(): Promise<void> {
    // What is appended in the same turn goes together.
    await undefined;
    while (this.#queue.length > 0) {
      const group: Waiting[] = [];
      try {
        await this.#writeGroup(group);
      } catch (cause) {
        await this.#giveUp(group, cause);
      }
    }
    this.#writing = undefined;
  }

  async #writeGroup(group: Waiting[]): Promise<void> {
    const { segment, file } = await this.#segmentFor(this.#queue[0] as Waiting);
    const starts: number[] = [];
    const pieces: Uint8Array[] = segment.syncedBytes === 0 ? [encodeSegmentHead(segment)] : [];
    let end = segment.syncedBytes === 0 ? SEGMENT_HEAD_BYTES : segment.syncedBytes;
    for (const waiting of this.#queue) {
      if (group.length > 0 && end + waiting.bytes > this.#options.segmentBytes) break;
      placeHead(waiting.head, this.#next + group.length, segment.marker);
      pieces.push(waiting.head, waiting.body);
      starts.push(end);
      end += waiting.bytes;
      group.push(waiting);
    }
    this.#queue.splice(0, group.length);
    await file.writeSynced(pieces, segment.syncedBytes);
    const first = this.#next;
    this.#next += group.length;
    segment.nextSequence = this.#next;
    segment.syncedBytes = end;
    for (const [index, waiting] of group.entries()) {
      markEntry(segment, first + index, starts[index] as number);
      this.#waitingBytes -= waiting.bytes;
      waiting.resolve(first + index);
    }
  }

  async #segmentFor({ bytes }: Waiting): Promise<Active> {
    const { segmentBytes, segmentSeconds, nowMicros } = this.#options;
    const now = nowMicros();
    if (this.#active !== undefined) {
      const { segment, sinceMicros } = this.#active;
      const full = segment.syncedBytes + bytes > segmentBytes || now - sinceMicros >= segmentSeconds * 1_000_000;
      if (!full || segment.nextSequence === segment.firstSequence) return this.#active;
      await this.#leaveSegment();
    }
    this.#active = await this.#makeSegment(now);
    return this.#active;
  }

  async #makeSegment(sinceMicros: number): Promise<Active> {
    const { files, folder, newMarker } = this.#options;
    const segment = newSegment(folder, this.#next, newMarker());
    const file = await files.open(segment.path, 'create');
    try {
      await files.syncFolder(folder);
    } catch (cause) {
      await file.close().catch(() => undefined);
      await files.remove(segment.path).catch(() => undefined);
      throw cause;
    }
    const before = this.#segments.at(-1);
    this.#segments.push(segment);
    // It kept the count, which the new one does now. Where it cannot be removed, it does no harm.
    if (before !== undefined && before.nextSequence === before.firstSequence) {
      this.#segments.splice(this.#segments.indexOf(before), 1);
      await files.remove(before.path).catch(() => undefined);
    }
    return { segment, file, sinceMicros };
  }

  /** What was written is synced: a file that does not close has lost nothing. */
  async #leaveSegment(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    await active?.file.close().catch(() => undefined);
  }

  /** Everyone who waits is told at once: behind a group that failed, the next would only fail later. */
  async #giveUp(group: readonly Waiting[], cause: unknown): Promise<void> {
    const failure = logFailure(this.#options.folder, 'written', cause);
    const isCut = await this.#cutToSynced();
    if (failure.code !== 'disk_full' || !isCut) this.#refusal ??= logStopped(this.#options.folder, failure);
    const waiting = [...group, ...this.#queue.splice(0)];
    for (const { bytes, reject } of waiting) {
      this.#waitingBytes -= bytes;
      reject(failure);
    }
  }

  async #cutToSynced(): Promise<boolean> {
    if (this.#active === undefined) return true;
    const { segment, file } = this.#active;
    try {
      await file.truncate(segment.syncedBytes);
      await file.sync();
      return true;
    } catch {
      return false;
    } finally {
      await this.#leaveSegment();
    }
  }
}
