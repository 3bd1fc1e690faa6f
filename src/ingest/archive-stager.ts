import type { Feed } from '../domain/feeds.ts';
import { createDecoder } from '../encodings/create-decoder.ts';
import type { RecordSink } from '../encodings/decoder.ts';
import type { ArchivedRecord } from '../staging/staged-chunk.ts';
import type { DeliveredChunk } from './delivery-stager.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { type FeedReceiver, openReceiver } from './open-receiver.ts';
import { ROWS_A_CHUNK } from './record-receiver.ts';

export interface ArchiveStagerOptions {
  readonly edge: EdgeSettings;
  /** For segments. */
  readonly directory: string;
}

interface OpenFeed extends FeedReceiver {
  /** Of the record that came last. */
  last: ArchivedRecord | undefined;
  /** JSON records that follow each other, not decoded yet. */
  lines: ArchivedRecord[];
  lineBytes: number;
  unknownFields: Map<string, number>;
}

/** So much JSON is decoded in one go. */
const LINE_BYTES = 262_144;
const LINE_FEED = Uint8Array.of(0x0a);
/** Row numbers of stretches do not meet in a batch: neither has as many hours, nor an hour as many chunks. */
const CHUNKS_A_STRETCH = 1_024;
const MAX_STRETCHES = 2 ** 24;

/** Takes records of the raw archive through the edge, with the places and times of receipt that they had. */
export class ArchiveStager {
  private readonly options: ArchiveStagerOptions;
  private readonly feeds = new Map<Feed, OpenFeed>();
  private chunks: DeliveredChunk[] = [];
  private ordinal = 0;
  /** Since the last flush. */
  records = 0;

  constructor(options: ArchiveStagerOptions) {
    this.options = options;
  }

  stage(feed: Feed, record: ArchivedRecord): void {
    const open = this.feeds.get(feed) ?? this.open(feed);
    const { last } = open;
    if (last === undefined || !isOfOneOrigin(last, record)) this.changeOrigin(feed, open, record);
    // What follows without a gap can be decoded as one stream.
    else if (open.lines.length > 0 && record.position !== last.position + 1) this.decodeLines(open);
    open.last = record;
    this.records++;
    if (record.problem !== undefined) {
      this.decodeLines(open);
      open.receiver.malformed({ ...record.problem, recordNumber: record.position, raw: record.raw });
    } else if (record.encoding === 'json') {
      open.lines.push(record);
      open.lineBytes += record.raw.length;
      if (open.lineBytes >= LINE_BYTES) this.decodeLines(open);
    } else this.decodeAlone(open, record);
  }

  /** Ends the segments: what was staged is the next batch's. */
  flush(): { readonly chunks: readonly DeliveredChunk[]; readonly unknownFields: ReadonlyMap<Feed, ReadonlyMap<string, number>> } {
    const unknownFields = new Map<Feed, ReadonlyMap<string, number>>();
    for (const [feed, open] of this.feeds) {
      this.decodeLines(open);
      open.receiver.flush();
      open.last = undefined;
      if (open.unknownFields.size > 0) unknownFields.set(feed, open.unknownFields);
      open.unknownFields = new Map();
    }
    const { chunks } = this;
    this.chunks = [];
    this.records = 0;
    return { chunks, unknownFields };
  }

  private open(feed: Feed): OpenFeed {
    const open: OpenFeed = { ...openReceiver(feed, this.options.edge), last: undefined, lines: [], lineBytes: 0, unknownFields: new Map() };
    this.feeds.set(feed, open);
    return open;
  }

  private changeOrigin(feed: Feed, open: OpenFeed, record: ArchivedRecord): void {
    this.decodeLines(open);
    const { source, encoding, delimiter, receivedAtMicros } = record;
    const origin = { feed, source, encoding, delimiter, contractVersion: open.check.contract.version, receivedAtMicros };
    // The books are by source and hour of receipt.
    if (open.last !== undefined && open.last.source === source && hourOf(open.last) === hourOf(record)) {
      open.receiver.startOrigin(origin);
      return;
    }
    open.receiver.flush();
    open.receiver.start({
      origin,
      directory: this.options.directory,
      name: `raw-${feed}-${this.ordinal++}`,
      firstStageRow: (this.ordinal % MAX_STRETCHES) * CHUNKS_A_STRETCH * ROWS_A_CHUNK,
      firstPosition: 0,
      chunkRecords: Number.MAX_SAFE_INTEGER,
      onChunk: (chunk) => this.chunks.push({ ...chunk, feed, source, receivedAtMicros, arrivals: [{ receivedAtMicros, records: chunk.received }] }),
    });
  }

  private decodeLines(open: OpenFeed): void {
    const { lines } = open;
    const [first] = lines;
    if (first === undefined) return;
    open.lines = [];
    open.lineBytes = 0;
    this.decode(open, first, Buffer.concat(lines.flatMap(({ raw }) => [raw, LINE_FEED])), first.position, open.receiver);
  }

  /** A document with a header of its own is one record, whatever today's contract makes of its header. */
  private decodeAlone(open: OpenFeed, record: ArchivedRecord): void {
    const { receiver } = open;
    let isTaken = false;
    const takeFirst = (take: () => void): void => {
      if (!isTaken) take();
      isTaken = true;
    };
    this.decode(open, record, record.raw, record.position, {
      record: (slots) => takeFirst(() => receiver.record(slots)),
      malformed: (problem) => takeFirst(() => receiver.malformed(problem)),
    });
  }

  private decode(open: OpenFeed, { encoding, delimiter }: ArchivedRecord, bytes: Uint8Array, firstRecordNumber: number, sink: RecordSink): void {
    const decoder = createDecoder({ encoding, fields: open.check.paths, maxRecordBytes: this.options.edge.maxRecordBytes, delimiter, firstRecordNumber }, sink);
    open.receiver.decoder = decoder;
    decoder.push(bytes);
    decoder.end();
    for (const [field, records] of decoder.unknownFields) open.unknownFields.set(field, (open.unknownFields.get(field) ?? 0) + records);
  }
}

function isOfOneOrigin(a: ArchivedRecord, b: ArchivedRecord): boolean {
  return a.receivedAtMicros === b.receivedAtMicros && a.source === b.source && a.encoding === b.encoding && a.delimiter === b.delimiter;
}

function hourOf({ receivedAtMicros }: ArchivedRecord): number {
  return Math.floor(receivedAtMicros / 3_600_000_000);
}
