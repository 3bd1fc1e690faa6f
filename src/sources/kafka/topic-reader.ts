import { Consumer, FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { KafkaClientOptions } from './client-options.ts';
import { hasKafkaError, isUnknownTopic, kafkaFailure } from './kafka-failure.ts';

export interface TopicState {
  /** Of this topic: one that is deleted and made again under its name has another. */
  readonly id: string;
  /** By partition: the broker that has it now. */
  readonly leaders: readonly number[];
}

/** Offsets of a partition: of the first message that is still there, and behind the last one that may be read. */
export interface PartitionBounds {
  readonly first: number;
  readonly end: number;
}

export interface WantedPartition {
  readonly partition: number;
  readonly offset: number;
}

export interface TopicMessage {
  readonly offset: number;
  /** Null: a tombstone. Only good until more is read. */
  readonly value: Uint8Array | null;
}

/** What one read brought of a partition. */
export interface PartitionRead {
  readonly partition: number;
  readonly messages: readonly TopicMessage[];
  /** Where to read next: behind all that was read, markers of transactions and gaps too. */
  readonly next: number;
  /** Behind the last message that may be read. */
  readonly end: number;
}

/** An answer waits so long for something to come. */
const WAIT_MS = 250;
const PARTITION_BYTES = 1_048_576;
const READ_BYTES = 8_388_608;
const TIMEOUT_MS = 10_000;

/**
 * Reads a topic by offsets that the caller keeps, in no consumer group: what was taken is said by the tables alone. Messages of
 * transactions that were not committed are left out. What fails throws `kafka_failed`, and may work the next time.
 */
export class TopicReader {
  private readonly topic: string;
  private readonly consumer: Consumer;
  private state: TopicState | undefined;

  constructor(options: KafkaClientOptions, topic: string) {
    this.topic = topic;
    this.consumer = new Consumer({
      ...options,
      // Never joined: the client asks for a name.
      groupId: options.clientId,
      autocommit: false,
      autocreateTopics: false,
      isolationLevel: FetchIsolationLevels.READ_COMMITTED,
      maxWaitTime: WAIT_MS,
      connectTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      // Who reads tries again, and tells of it.
      retries: 0,
    });
  }

  /** The topic as it is now. */
  async look(): Promise<TopicState> {
    return this.trying('looked at', async () => {
      const { topics } = await this.consumer.metadata({ topics: [this.topic], forceUpdate: true });
      const topic = topics.get(this.topic);
      if (topic === undefined || topic.partitions.length === 0) throw noTopic(this.topic);
      this.state = { id: topic.id, leaders: topic.partitions.map(({ leader }) => leader) };
      return this.state;
    });
  }

  async bounds(): Promise<PartitionBounds[]> {
    return this.trying('looked at', async () => {
      const [first, end] = await Promise.all([this.offsetsAt(ListOffsetTimestamps.EARLIEST), this.offsetsAt(ListOffsetTimestamps.LATEST)]);
      return first.map((offset, partition) => ({ first: Number(offset), end: Number(end[partition] ?? offset) }));
    });
  }

  private async offsetsAt(timestamp: bigint): Promise<readonly bigint[]> {
    const offsets = await this.consumer.listOffsets({ topics: [this.topic], timestamp });
    return offsets.get(this.topic) ?? [];
  }

  /** What follows in partitions that one broker has; nothing where nothing comes for a while. Undefined: where they stand has changed, look again. */
  async read(node: number, wanted: readonly WantedPartition[]): Promise<PartitionRead[] | undefined> {
    const { state } = this;
    if (state === undefined) throw new TypeError('Look at the topic first');
    const partitions = wanted.map(({ partition, offset }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: PARTITION_BYTES,
    }));
    try {
      const { responses } = await this.consumer.fetch({
        node,
        topics: [{ topicId: state.id, partitions }],
        minBytes: 1,
        maxBytes: READ_BYTES,
        maxWaitTime: WAIT_MS,
      });
      const offsets = new Map(wanted.map(({ partition, offset }) => [partition, offset]));
      return responses.flatMap((topic) => topic.partitions).map((read) => readPartition(read, offsets.get(read.partitionIndex) ?? 0));
    } catch (cause) {
      if (MOVED.some((code) => hasKafkaError(cause, code))) return undefined;
      throw kafkaFailure(`The topic ${this.topic} cannot be read`, cause);
    }
  }

  /** Messages that were read before, by offset, in order; those that are not there any more are left out. Not beside other reads. */
  async readAgain(partition: number, offsets: readonly number[]): Promise<Map<number, Uint8Array>> {
    const { leaders } = await this.look();
    const found = new Map<number, Uint8Array>();
    let left = [...offsets].sort((a, b) => a - b);
    while (left.length > 0) {
      const [read] = (await this.read(leaders[partition] ?? 0, [{ partition, offset: left[0] as number }])) ?? [];
      if (read === undefined || read.messages.length === 0) break;
      const wanted = new Set(left);
      for (const { offset, value } of read.messages) if (value !== null && wanted.has(offset)) found.set(offset, value.slice());
      left = left.filter((offset) => offset >= read.next);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.consumer.close(true).catch(() => undefined);
  }

  private async trying<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (isUnknownTopic(cause)) throw noTopic(this.topic, cause);
      throw kafkaFailure(`The topic ${this.topic} cannot be ${doing}`, cause);
    }
  }
}

/** Partitions have other leaders, the topic is another one, or an offset is not there: what was known is old. */
const MOVED = [
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'OFFSET_OUT_OF_RANGE',
] as const;

interface FetchedPartition {
  readonly partitionIndex: number;
  readonly lastStableOffset: bigint;
  readonly records?: readonly FetchedBatch[] | null | undefined;
}

interface FetchedBatch {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly attributes: number;
  readonly records: readonly { readonly offsetDelta: number; readonly value: Uint8Array | null }[];
}

/** Batches of markers, of which producers' transactions leave one each. */
const IS_CONTROL = 0b10_0000;

function readPartition({ partitionIndex, lastStableOffset, records }: FetchedPartition, from: number): PartitionRead {
  const messages: TopicMessage[] = [];
  let next = from;
  for (const batch of records ?? []) {
    const first = Number(batch.firstOffset);
    // The offset may be in the middle of a batch, which comes whole.
    if ((batch.attributes & IS_CONTROL) === 0)
      for (const { offsetDelta, value } of batch.records) if (first + offsetDelta >= from) messages.push({ offset: first + offsetDelta, value });
    next = Math.max(next, first + batch.lastOffsetDelta + 1);
  }
  return { partition: partitionIndex, messages, next, end: Math.max(next, Number(lastStableOffset)) };
}

function noTopic(topic: string, cause?: unknown): AdvertiseXError {
  return new AdvertiseXError(
    'kafka_failed',
    `There is no topic ${topic}`,
    'Make it, or correct its name in sources.topics; it is looked for again and again.',
    cause,
  );
}
