import { type Encoding, FEEDS, type Feed } from '../domain/feeds.ts';
import type { Violation } from '../domain/outcome.ts';
import { createDecoder } from '../encodings/create-decoder.ts';
import type { Decoder } from '../encodings/decoder.ts';
import type { Arrival, RawRecord, StagedChunk } from '../staging/staged-chunk.ts';
import { addArrival } from './arrivals.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { type FeedReceiver, openReceiver } from './open-receiver.ts';
import { ROWS_A_CHUNK } from './record-receiver.ts';

/** Records that came in one piece: a request, a message. Its records are numbered on from those of the delivery before it. */
export interface Delivery {
  readonly feed: Feed;
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly receivedAtMicros: number;
  /** Decompressed. */
  readonly bytes: Uint8Array;
}

export interface RefusedRecord {
  /** Its place in the delivery, from 0. */
  readonly record: number;
  readonly violations: readonly Violation[];
}

/** What became of a delivery's records before the engine has looked at them. */
export interface DeliveryOutcome {
  readonly received: number;
  /** The first of them. */
  readonly refused: readonly RefusedRecord[];
  /** More were refused than stand there. */
  readonly moreRefused: number;
}

export interface DeliveredChunk extends StagedChunk {
  readonly feed: Feed;
  readonly source: string;
  readonly receivedAtMicros: number;
  readonly arrivals: readonly Arrival[];
}

/** What was staged since the last time. */
export interface StagedDeliveries {
  readonly chunks: readonly DeliveredChunk[];
  /** Of the feeds that chunks are of: the number of their next record. */
  readonly nextRecords: ReadonlyMap<Feed, number>;
  readonly unknownFields: ReadonlyMap<Feed, ReadonlyMap<string, number>>;
}

export interface DeliveryStagerOptions {
  readonly edge: EdgeSettings;
  /** What the tables name as the source. */
  readonly source: string;
  /** For segments. */
  readonly directory: string;
  /** Numbers that records of a feed go on from; 0 where absent. */
  readonly nextRecords: ReadonlyMap<Feed, number>;
}

interface OpenFeed extends FeedReceiver {
  /** Of the last delivery that another one can follow in the same encoding. */
  lastDecoder: { readonly encoding: Encoding; readonly decoder: Decoder } | undefined;
  /** Hour of receipt of what is in the chunk: the books are by hour. */
  hour: number;
  receivedAtMicros: number;
  unknownFields: Map<string, number>;
  /** Of what is in the chunk. */
  arrivals: Arrival[];
  /** Of the delivery at hand. */
  firstRecord: number;
  refused: RefusedRecord[];
  refusedCount: number;
}

/** As many as a sender learns from; all of them are in quarantine. */
const REFUSED_TOLD = 100;

/** Takes deliveries through the edge as they come, of all feeds, and stages their records for the next batch. */
export class DeliveryStager {
  private readonly options: DeliveryStagerOptions;
  private edge: EdgeSettings;
  private readonly feeds = new Map<Feed, OpenFeed>();
  private readonly nextRecords: Map<Feed, number>;
  private chunks: DeliveredChunk[] = [];
  private ordinal = 0;

  constructor(options: DeliveryStagerOptions) {
    this.options = options;
    this.edge = options.edge;
    this.nextRecords = new Map(options.nextRecords);
  }

  /** Number of the next record of a feed. */
  nextRecord(feed: Feed): number {
    return this.nextRecords.get(feed) ?? 0;
  }

  stage({ feed, encoding, delimiter, receivedAtMicros, bytes }: Delivery): DeliveryOutcome {
    const open = this.open(feed, receivedAtMicros);
    const { check, receiver } = open;
    const firstRecord = this.nextRecord(feed);
    open.firstRecord = firstRecord;
    open.refused = [];
    open.refusedCount = 0;
    const { contract } = check;
    receiver.startOrigin({ feed, source: this.options.source, encoding, delimiter, contractVersion: contract.version, receivedAtMicros });
    const decoder = this.decoderOf(open, encoding, delimiter, firstRecord);
    receiver.decoder = decoder;
    decoder.push(bytes);
    decoder.end();
    for (const [field, records] of decoder.unknownFields) open.unknownFields.set(field, (open.unknownFields.get(field) ?? 0) + records);
    this.nextRecords.set(feed, receiver.position);
    addArrival(open.arrivals, receivedAtMicros, receiver.position - firstRecord);
    return { received: receiver.position - firstRecord, refused: open.refused, moreRefused: open.refusedCount - open.refused.length };
  }

  /** Small deliveries would cost more to make a decoder for than to decode. */
  private decoderOf(open: OpenFeed, encoding: Encoding, delimiter: string, firstRecordNumber: number): Decoder {
    const { lastDecoder, check, receiver } = open;
    if (lastDecoder?.encoding === encoding && lastDecoder.decoder.restart !== undefined) {
      lastDecoder.decoder.restart(firstRecordNumber);
      return lastDecoder.decoder;
    }
    const { maxRecordBytes } = this.edge;
    const decoder = createDecoder({ encoding, fields: check.paths, maxRecordBytes, delimiter, firstRecordNumber }, receiver);
    open.lastDecoder = { encoding, decoder };
    return decoder;
  }

  /** Ends the segments: what was staged is the next batch's. */
  flush(): StagedDeliveries {
    for (const [feed, open] of this.feeds) this.end(feed, open);
    const chunks = this.chunks;
    this.chunks = [];
    const feeds = new Set(chunks.map(({ feed }) => feed));
    const unknownFields = new Map([...this.feeds].filter(([, open]) => open.unknownFields.size > 0).map(([feed, open]) => [feed, open.unknownFields]));
    for (const open of this.feeds.values()) open.unknownFields = new Map();
    return { chunks, nextRecords: new Map([...feeds].map((feed) => [feed, this.nextRecord(feed)])), unknownFields };
  }

  /** For the deliveries from here on; nothing may be staged that is not flushed. */
  useSettings(edge: EdgeSettings): void {
    this.edge = edge;
    this.feeds.clear();
  }

  private open(feed: Feed, receivedAtMicros: number): OpenFeed {
    const hour = Math.floor(receivedAtMicros / HOUR_MICROS);
    let open = this.feeds.get(feed);
    if (open === undefined) {
      const made: OpenFeed = {
        ...openReceiver(feed, this.edge, (position, violations) => {
          made.refusedCount++;
          if (made.refused.length < REFUSED_TOLD) made.refused.push({ record: position - made.firstRecord, violations: [...violations] });
        }),
        lastDecoder: undefined,
        hour,
        receivedAtMicros,
        unknownFields: new Map(),
        arrivals: [],
        firstRecord: 0,
        refused: [],
        refusedCount: 0,
      };
      this.feeds.set(feed, made);
      this.start(feed, made);
      open = made;
    }
    if (open.hour !== hour) this.end(feed, open);
    open.hour = hour;
    open.receivedAtMicros = receivedAtMicros;
    return open;
  }

  private start(feed: Feed, open: OpenFeed): void {
    const { source, directory } = this.options;
    open.receiver.start({
      origin: { feed, source, encoding: 'json', delimiter: ',', contractVersion: open.check.contract.version, receivedAtMicros: open.receivedAtMicros },
      directory,
      name: `${source}-${feed}-${this.ordinal++}`,
      firstStageRow: FEEDS.indexOf(feed) * ROWS_A_FEED,
      firstPosition: this.nextRecord(feed),
      chunkRecords: Number.MAX_SAFE_INTEGER,
      onChunk: (chunk) => {
        this.chunks.push({ ...chunk, feed, source, receivedAtMicros: open.receivedAtMicros, arrivals: open.arrivals });
        open.arrivals = [];
      },
    });
  }

  private end(feed: Feed, open: OpenFeed): void {
    open.receiver.flush();
    this.start(feed, open);
  }
}

const HOUR_MICROS = 3_600_000_000;
/** Row numbers of feeds do not meet in a batch. */
const ROWS_A_FEED = ROWS_A_CHUNK * 65_536;
/** Others that stage rows for the same batch number theirs from here on. */
export const DELIVERED_ROWS = FEEDS.length * ROWS_A_FEED;

/** The record with this number in a delivery whose first one has that. */
export function rawRecordOf(delivery: Delivery, edge: EdgeSettings, firstRecord: number, wanted: number): RawRecord | undefined {
  const { feed, encoding, delimiter, bytes } = delivery;
  let found: RawRecord | undefined;
  const contractVersion = edge.contracts.get(feed)?.version ?? '';
  const decoder = createDecoder(
    { encoding, fields: [], maxRecordBytes: edge.maxRecordBytes, delimiter, firstRecordNumber: firstRecord },
    {
      record: ({ recordNumber }) => {
        if (recordNumber === wanted) found = { raw: decoder.currentRaw().slice(), encoding, delimiter, contractVersion };
      },
      malformed: () => undefined,
    },
  );
  decoder.push(bytes);
  decoder.end();
  return found;
}
