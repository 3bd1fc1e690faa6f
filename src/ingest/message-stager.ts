import type { Feed } from '../domain/feeds.ts';
import type { MessageDecoder, MessageOptions } from '../encodings/messages.ts';
import { openMessageDecoder } from '../encodings/open-message-decoder.ts';
import type { RecordOrigin } from '../staging/quarantine-stager.ts';
import type { Arrival, RawRecord, SourcePart, StagedChunk } from '../staging/staged-chunk.ts';
import { addArrival } from './arrivals.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { type FeedReceiver, openReceiver } from './open-receiver.ts';

/** A chunk whose records came from several sources, each with positions of its own. */
export interface MessageChunk extends StagedChunk {
  readonly feed: Feed;
  readonly source: string;
  readonly receivedAtMicros: number;
  readonly arrivals: readonly Arrival[];
  readonly parts: readonly SourcePart[];
}

/** What was staged since the last time. */
export interface StagedMessages {
  readonly chunks: readonly MessageChunk[];
  readonly records: number;
  readonly unknownFields: ReadonlyMap<string, number>;
}

/** How messages of a feed are decoded: what the contract does not say. */
export type MessageFormat = DistributedOmit<MessageOptions, 'fields' | 'maxRecordBytes'>;
type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface MessageStagerOptions {
  readonly feed: Feed;
  readonly format: MessageFormat;
  readonly edge: EdgeSettings;
  /** What the tables call all of them together. */
  readonly source: string;
  /** For segments. */
  readonly directory: string;
  /** First of the row numbers that these messages may use in a batch. */
  readonly firstStageRow: number;
}

/** A message: one record, at its position in its source. */
export interface StagedMessage {
  readonly source: string;
  readonly position: number;
  /** Null: there is none, which is no record. */
  readonly value: Uint8Array | null;
}

/** Takes messages of a feed through the edge as they come, and stages their records for the next batch. */
export class MessageStager {
  private readonly options: MessageStagerOptions;
  private edge: EdgeSettings;
  private open!: FeedReceiver;
  private decoder!: MessageDecoder;
  private chunks: MessageChunk[] = [];
  private parts = new Map<string, { source: string; received: number; quarantined: number }>();
  /** Of the message at hand. */
  private currentSource = '';
  private arrivals: Arrival[] = [];
  /** Of the decoder's unknown fields, those that were told. */
  private toldFields: ReadonlyMap<string, number> = new Map();
  private hour = 0;
  private receivedAtMicros = 0;
  private ordinal = 0;
  /** Of what is staged. */
  records = 0;

  constructor(options: MessageStagerOptions) {
    this.options = options;
    this.edge = options.edge;
    this.openEdge();
  }

  /** Has at hand what these messages need to be decoded, until others are prepared. Throws where that cannot be had at the moment. */
  async prepare(values: readonly Uint8Array[]): Promise<void> {
    for (let prepared: MessageDecoder | undefined; prepared !== this.decoder; ) {
      prepared = this.decoder;
      await prepared.prepare(values);
    }
  }

  /** Messages that were prepared and received together, in the order of each source. */
  stage(messages: Iterable<StagedMessage>, receivedAtMicros: number): void {
    const hour = Math.floor(receivedAtMicros / HOUR_MICROS);
    // The books are by the hour of receipt.
    if (hour !== this.hour) this.endChunk();
    this.hour = hour;
    this.receivedAtMicros = receivedAtMicros;
    const { receiver } = this.open;
    let records = 0;
    this.currentSource = '';
    for (const message of messages) {
      const { source } = message;
      if (source !== this.currentSource) receiver.startOrigin({ ...this.origin(), source });
      this.currentSource = source;
      if (message.value === null) receiver.malformed({ code: 'malformed', recordNumber: message.position, message: NO_VALUE, raw: new Uint8Array(0) });
      else this.decoder.push(message.value, message.position);
      // Behind it: a message may have ended the chunk before itself.
      this.partOf(source).received++;
      records++;
    }
    this.records += records;
    addArrival(this.arrivals, receivedAtMicros, records);
  }

  /** Ends the segments: what was staged is the next batch's. */
  flush(): StagedMessages {
    this.endChunk();
    const { chunks, records } = this;
    this.chunks = [];
    this.records = 0;
    return { chunks, records, unknownFields: this.takeUnknownFields() };
  }

  /** For the messages from here on; nothing may be staged that is not flushed. */
  useSettings(edge: EdgeSettings): void {
    this.edge = edge;
    this.openEdge();
  }

  /** A message as the quarantine keeps it: a document by itself. Empty where there is none. */
  async rawOf(value: Uint8Array | undefined): Promise<RawRecord> {
    const { encoding, delimiter, contractVersion } = this.origin();
    let raw: Uint8Array = new Uint8Array(0);
    if (value !== undefined) {
      const decoder = openMessageDecoder(
        { ...this.options.format, fields: this.open.check.paths, maxRecordBytes: this.edge.maxRecordBytes } as MessageOptions,
        {
          record: () => {
            raw = decoder.currentRaw().slice();
          },
          malformed: (problem) => {
            raw = problem.raw;
          },
        },
      );
      await decoder.prepare([value]);
      decoder.push(value, 0);
    }
    return { raw, encoding, delimiter, contractVersion };
  }

  private openEdge(): void {
    this.open = openReceiver(this.options.feed, this.edge, () => {
      this.partOf(this.currentSource).quarantined++;
    });
    this.toldFields = new Map();
    this.openDecoder();
    this.start();
  }

  /** Since the last time: the decoder counts on, as it keeps what it has prepared. */
  private takeUnknownFields(): Map<string, number> {
    const counted = new Map(this.decoder.unknownFields);
    const fresh = [...counted].map(([field, records]) => [field, records - (this.toldFields.get(field) ?? 0)] as const);
    this.toldFields = counted;
    return new Map(fresh.filter(([, records]) => records > 0));
  }

  private openDecoder(): void {
    const { check, receiver } = this.open;
    this.decoder = openMessageDecoder({ ...this.options.format, fields: check.paths, maxRecordBytes: this.edge.maxRecordBytes } as MessageOptions, receiver);
    receiver.decoder = this.decoder;
  }

  private origin(): RecordOrigin {
    const { format, feed, source } = this.options;
    const delimiter = format.encoding === 'csv' ? (format.delimiter ?? ',') : ',';
    return { feed, source, encoding: format.encoding, delimiter, contractVersion: this.open.check.contract.version, receivedAtMicros: this.receivedAtMicros };
  }

  private start(): void {
    const { feed, source, directory, firstStageRow } = this.options;
    this.open.receiver.start({
      origin: this.origin(),
      directory,
      name: `${source.replace(/[^\w.-]/g, '-')}-${feed}-${this.ordinal++}`,
      firstStageRow,
      firstPosition: 0,
      chunkRecords: Number.MAX_SAFE_INTEGER,
      onChunk: (chunk) => {
        const { receivedAtMicros, arrivals } = this;
        this.chunks.push({ ...chunk, feed, source, receivedAtMicros, arrivals, parts: [...this.parts.values()] });
        this.arrivals = [];
        this.parts = new Map();
      },
    });
  }

  private endChunk(): void {
    this.open.receiver.flush();
    this.start();
  }

  private partOf(source: string): { source: string; received: number; quarantined: number } {
    let part = this.parts.get(source);
    if (part === undefined) {
      part = { source, received: 0, quarantined: 0 };
      this.parts.set(source, part);
    }
    return part;
  }
}

const HOUR_MICROS = 3_600_000_000;
const NO_VALUE = 'The message has no value (a tombstone).';
