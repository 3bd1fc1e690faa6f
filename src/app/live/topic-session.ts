import { rm } from 'node:fs/promises';
import type { Batch, ConflictingRecord } from '../../batches/batch.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { Feed } from '../../domain/feeds.ts';
import { type MessageFormat, MessageStager, type StagedMessages } from '../../ingest/message-stager.ts';
import { partitionName, partitionOf, topicName } from '../../sources/kafka/partition-name.ts';
import type { PartitionRead, TopicReader, TopicState } from '../../sources/kafka/topic-reader.ts';
import type { RawRecord } from '../../staging/staged-chunk.ts';
import { edgeSettings } from '../edge-settings.ts';
import { InTurn } from '../in-turn.ts';
import type { Instance } from '../instance.ts';
import type { Sleep } from './live-source.ts';
import { positionsOf, topicPositions } from './topic-positions.ts';

export interface ConsumedTopic {
  readonly feed: Feed;
  readonly topic: string;
  readonly format: MessageFormat;
  /** Where a topic begins that was never consumed before. */
  readonly from: 'earliest' | 'latest';
}

export interface TopicSessionOptions {
  readonly consumed: ConsumedTopic;
  readonly reader: TopicReader;
  readonly openReader: () => TopicReader;
  readonly firstStageRow: number;
  readonly sleep: Sleep;
  readonly signal: AbortSignal;
  readonly events: TopicEvents;
  /** A partition that ends before what the tables have of it has lost messages: it is read on from its end. Else that is a failure, and passes as a rule. */
  readonly acceptsLoss: boolean;
}

/** What a session tells of as it goes. */
export interface TopicEvents {
  readonly note: (message: string) => void;
  readonly warn: (message: string) => void;
  /** A partition ends before what the tables have of it. */
  readonly short: () => void;
  /** Messages that are gone before they were read, as far as that is known. */
  readonly lost: (partition: number, messages: number) => void;
  readonly taken: (partition: number, messages: number) => void;
  /** Messages that are there and not in the tables yet. */
  readonly lag: (partition: number, messages: number) => void;
}

/** What waits for a batch: beyond, nothing is read. */
const WAITING_RECORDS = 100_000;
/** From the end of a batch to the start of the next one: what comes meanwhile goes together. */
const GATHER_MS = 100;
/** A topic may get more partitions, and partitions other leaders. */
const LOOK_EVERY_MS = 10_000;
const FULL_MS = 20;

/**
 * A topic from where the tables have it on, until something fails or changes: what was read and is not committed is then read again, by another session. Offsets are committed with the rows, in the same transaction.
 */
export class TopicSession {
  private readonly instance: Instance;
  private readonly options: TopicSessionOptions;
  private readonly state: TopicState;
  private readonly stager: MessageStager;
  private readonly names: readonly string[];
  /** By partition: where it is read on, and how far its batches go. */
  private readonly next: number[];
  private readonly committed: number[];
  private readonly ends: number[];
  private readonly ending = new AbortController();
  private readonly staging = new InTurn();
  private hasNewRates = false;

  private constructor(instance: Instance, options: TopicSessionOptions, state: TopicState, stager: MessageStager, starts: readonly Start[]) {
    this.instance = instance;
    this.options = options;
    this.state = state;
    this.stager = stager;
    this.names = state.leaders.map((_, partition) => partitionName(options.consumed.topic, state.id, partition));
    this.next = starts.map(({ next }) => next);
    this.committed = [...this.next];
    this.ends = starts.map(({ end }) => end);
    this.tellLag();
  }

  static async open(instance: Instance, options: TopicSessionOptions): Promise<TopicSession> {
    const { consumed, reader, firstStageRow } = options;
    const { feed, topic, format } = consumed;
    await instance.disk.requireRoom();
    const state = await reader.look();
    const starts = await findStarts(instance, options, state);
    const edge = await edgeSettings(instance);
    const stager = new MessageStager({ feed, format, edge, source: topicName(topic), directory: instance.directory.staging, firstStageRow });
    return new TopicSession(instance, options, state, stager, starts);
  }

  /** Until the signal is aborted, or partitions have moved. Throws what fails. */
  async run(): Promise<void> {
    const { signal } = this.options;
    const stop = AbortSignal.any([signal, this.ending.signal]);
    const stopListening = this.instance.batches.onCommitted((_, { chunks }) => {
      this.hasNewRates ||= chunks.some(({ feed }) => feed === 'currency-rates');
    });
    const tasks = [...new Set(this.state.leaders)].map((node) => this.readFrom(node, stop));
    tasks.push(this.watch(stop), this.apply(stop));
    const first = await Promise.race(
      tasks.map((task) =>
        task.then(
          () => undefined,
          (error) => ({ error }),
        ),
      ),
    ).finally(() => this.ending.abort());
    const rest = await Promise.allSettled(tasks);
    stopListening();
    if (first !== undefined) throw first.error;
    for (const task of rest) if (task.status === 'rejected') throw task.reason;
  }

  private async readFrom(node: number, stop: AbortSignal): Promise<void> {
    const { reader, sleep } = this.options;
    const partitions = this.state.leaders.flatMap((leader, partition) => (leader === node ? [partition] : []));
    while (!stop.aborted) {
      if (this.stager.records >= WAITING_RECORDS) {
        await sleep(FULL_MS, stop);
        continue;
      }
      const reads = await reader.read(
        node,
        partitions.map((partition) => ({ partition, offset: this.next[partition] as number })),
      );
      if (reads === undefined) return;
      await this.staging.run(this, () => this.stage(reads));
    }
  }

  /** In turn, where several brokers are read: what is prepared for one read is not for another. */
  private async stage(reads: readonly PartitionRead[]): Promise<void> {
    const values = reads.flatMap(({ messages }) => messages.flatMap(({ value }) => value ?? []));
    if (values.length > 0) await this.stager.prepare(values);
    if (this.ending.signal.aborted) return;
    const { names } = this;
    const messages = reads.flatMap(({ partition, messages }) => {
      const source = names[partition] as string;
      return messages.map(({ offset, value }) => ({ source, position: offset, value }));
    });
    if (messages.length > 0) this.stager.stage(messages, this.instance.nowMicros());
    for (const { partition, next, end } of reads) {
      this.next[partition] = next;
      this.ends[partition] = end;
    }
    this.tellLag();
  }

  private async apply(stop: AbortSignal): Promise<void> {
    const { sleep } = this.options;
    // What is staged when it is to stop is committed; what failed elsewhere may have left a part of a read behind.
    while (!stop.aborted || (this.options.signal.aborted && this.stager.records > 0)) {
      if (this.stager.records > 0) await this.applyStaged();
      if (this.hasNewRates) {
        this.hasNewRates = false;
        const edge = await edgeSettings(this.instance);
        if (this.stager.records === 0) this.stager.useSettings(edge);
        else this.hasNewRates = true;
      }
      await sleep(GATHER_MS, stop);
    }
  }

  private async applyStaged(): Promise<void> {
    const { instance, next, committed } = this;
    const { events } = this.options;
    await instance.disk.requireRoom();
    // At once: what is staged, and how far that goes.
    const staged = this.stager.flush();
    const moved = new Map([...next.entries()].filter(([partition, offset]) => offset > (committed[partition] as number)));
    await instance.batches.apply(this.batchOf(staged, moved));
    for (const [partition, offset] of moved) committed[partition] = offset;
    for (const { source, received } of staged.chunks.flatMap(({ parts }) => parts)) events.taken(this.names.indexOf(source), received);
    this.tellLag();
    for (const { segments } of staged.chunks) for (const { path } of segments) await rm(path, { force: true });
  }

  private batchOf({ chunks, unknownFields }: StagedMessages, moved: ReadonlyMap<number, number>): Batch {
    const { feed, topic } = this.options.consumed;
    return {
      cause: 'late',
      chunks,
      files: [],
      positions: positionsOf({ feed, topic, topicId: this.state.id }, moved, unknownFields),
      stagingDirectory: this.instance.directory.staging,
      readRaw: (records) => this.readRaw(records),
    };
  }

  /** The bytes of records again; none where a message is not there any more. */
  private async readRaw(records: readonly ConflictingRecord[]): Promise<RawRecord[]> {
    // Beside the one that reads on.
    const reader = this.options.openReader();
    try {
      const values = new Map<string, Uint8Array>();
      for (const [source, wanted] of Map.groupBy(records, (record) => record.source)) {
        const partition = partitionOf(source, this.options.consumed.topic, this.state.id);
        if (partition === undefined) continue;
        const positions = wanted.map(({ position }) => position);
        const found = await reader.readAgain(partition, positions).catch(() => new Map<number, Uint8Array>());
        for (const [offset, value] of found) values.set(`${source} ${offset}`, value);
      }
      return await Promise.all(records.map(({ source, position }) => this.stager.rawOf(values.get(`${source} ${position}`))));
    } finally {
      await reader.close();
    }
  }

  /** Ends where partitions are others than when the session began. */
  private async watch(stop: AbortSignal): Promise<void> {
    const { reader, sleep, events, consumed } = this.options;
    for (;;) {
      await sleep(LOOK_EVERY_MS, stop);
      if (stop.aborted) return;
      const { id, leaders } = await reader.look();
      if (id !== this.state.id) return;
      if (leaders.length > this.state.leaders.length) events.note(`The topic ${consumed.topic} has ${leaders.length} partitions now.`);
      if (leaders.length !== this.state.leaders.length || leaders.some((leader, partition) => leader !== this.state.leaders[partition])) return;
    }
  }

  private tellLag(): void {
    for (const [partition, end] of this.ends.entries()) this.options.events.lag(partition, Math.max(0, end - (this.committed[partition] as number)));
  }
}

interface Start {
  readonly next: number;
  readonly end: number;
}

/** Where each partition is read on. What is gone by now, or was never there, is told and passed over. */
async function findStarts(instance: Instance, { reader, consumed, events, acceptsLoss }: TopicSessionOptions, state: TopicState): Promise<Start[]> {
  const { feed, topic, from } = consumed;
  const [{ next, hadOther }, bounds] = await Promise.all([topicPositions(instance, feed, topic, state.id), reader.bounds()]);
  if (hadOther) events.warn(`The topic ${topic} is another one than before: it is taken from its beginning.`);
  const isNew = next.size === 0 && !hadOther;
  const starts = bounds.map(({ first, end }, partition): Start => {
    const taken = next.get(partition);
    if (taken === undefined) return { next: isNew && from === 'latest' ? end : first, end };
    if (taken < first) {
      events.warn(`${first - taken} messages of ${topic}, partition ${partition}, were deleted before they were taken (offsets ${taken} to ${first - 1}).`);
      events.lost(partition, first - taken);
      return { next: first, end };
    }
    if (taken > end) {
      events.short();
      // A broker that has just started may not know yet how far it is: what it has would be read twice.
      if (!acceptsLoss) throw tooShort(topic, partition, end, taken);
      events.warn(
        `The topic ${topic}, partition ${partition}, ends at offset ${end}, and ${taken - end} more messages of it are in the tables: its brokers lost them. It is taken from its end on.`,
      );
      return { next: end, end };
    }
    return { next: taken, end };
  });
  if (isNew && from === 'latest') await commitStarts(instance, consumed, state, starts);
  return starts;
}

function tooShort(topic: string, partition: number, end: number, taken: number): AdvertiseXError {
  return new AdvertiseXError(
    'kafka_failed',
    `The topic ${topic}, partition ${partition}, ends at offset ${end}, and the tables have it up to ${taken}`,
    'Wait a minute: a broker that has just started says so for a moment. Where it has lost messages, the topic is taken from its end on then.',
  );
}

/** What a topic holds when it is consumed first, and is passed over, is passed over for good. */
async function commitStarts(instance: Instance, { feed, topic }: ConsumedTopic, { id }: TopicState, starts: readonly Start[]): Promise<void> {
  const next = new Map(starts.map((start, partition) => [partition, start.next]));
  await instance.batches.apply({
    cause: 'late',
    chunks: [],
    files: [],
    positions: positionsOf({ feed, topic, topicId: id }, next, new Map()),
    stagingDirectory: instance.directory.staging,
    readRaw: async () => [],
  });
}
