import { Admin, compatibilityPartitioner, Producer } from '@platformatic/kafka';
import { AdvertiseXError } from '../../domain/errors.ts';
import type { KafkaClientOptions } from './client-options.ts';
import { kafkaFailure } from './kafka-failure.ts';

/** A record on its way to a topic. Records with the same key stand in one partition, in the order in which they were sent. */
export interface Message {
  readonly key: Buffer | undefined;
  readonly value: Buffer;
}

/** A broker that is started again is waited for so long. */
const RETRIES = 45;
const RETRY_MILLIS = 1_000;
const FIRST_RETRIES = 2;
/** What Kafka writes beside a record: lengths, times and headers. */
const RECORD_OVERHEAD = 40;
/** The broker takes a batch of a partition up to a mebibyte, unless it is told otherwise, and the client does not split one. */
const MAX_SEND_BYTES = 900_000;

/**
 * Sends to one topic, acknowledged by all replicas, each record once also where the client has to send it again (an idempotent producer).
 * One send is under way at a time: with two to a partition this client has lost records that were acknowledged.
 */
export class TopicSender {
  readonly topic: string;
  readonly partitions: number;
  private readonly producer: ReturnType<typeof openProducer>;
  private keyless = 0;

  private constructor(producer: ReturnType<typeof openProducer>, topic: string, partitions: number) {
    this.producer = producer;
    this.topic = topic;
    this.partitions = partitions;
  }

  /** `partitions`: of a topic that is made where there is none. Without them there has to be one. */
  static async open(options: KafkaClientOptions, topic: string, partitions: number | undefined): Promise<TopicSender> {
    const found = await partitionsOf(options, topic, partitions);
    return new TopicSender(openProducer(options), topic, found);
  }

  /** How much of `messages`, from `start` on, may go in one send: the index behind it, past `start` at least. */
  static endOfSend(messages: readonly Message[], start: number): number {
    let bytes = 0;
    for (let at = start; at < messages.length; at++) {
      const { key, value } = messages[at] as Message;
      bytes += value.length + (key?.length ?? 0) + RECORD_OVERHEAD;
      if (bytes > MAX_SEND_BYTES) return Math.max(start + 1, at);
    }
    return messages.length;
  }

  /** Until all of them are acknowledged. To be awaited before the next call. */
  async send(messages: readonly Message[]): Promise<void> {
    const { topic } = this;
    const placed = messages.map(({ key, value }) => (key === undefined ? { topic, value, partition: this.keyless++ } : { topic, key, value }));
    await this.producer.send({ messages: placed }).catch((error) => Promise.reject(kafkaFailure(`Records could not be sent to the topic ${topic}`, error)));
  }

  async close(): Promise<void> {
    await this.producer.close(true);
  }
}

function openProducer(options: KafkaClientOptions) {
  // The partitioner of Java's clients: a key stands where those of other producers with that key stand.
  return new Producer({ ...options, idempotent: true, retries: RETRIES, retryDelay: RETRY_MILLIS, partitioner: compatibilityPartitioner });
}

async function partitionsOf(options: KafkaClientOptions, topic: string, partitions: number | undefined): Promise<number> {
  const admin = new Admin({ ...options, retries: FIRST_RETRIES });
  try {
    const topics = await admin.listTopics();
    if (!topics.includes(topic)) {
      if (partitions === undefined) throw missingTopic(topic);
      await admin.createTopics({ topics: [topic], partitions, replicas: BROKER_DEFAULT });
    }
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
    return metadata.topics.get(topic)?.partitionsCount ?? 0;
  } catch (error) {
    throw kafkaFailure(`Kafka at ${options.bootstrapBrokers.join(', ')} cannot be asked for the topic ${topic}`, error);
  } finally {
    await admin.close();
  }
}

const BROKER_DEFAULT = -1;

function missingTopic(topic: string): AdvertiseXError {
  return new AdvertiseXError(
    'not_found',
    `Kafka has no topic ${topic}, or this user may not see it`,
    'Name another one with --topic, or have it made with --partitions.',
  );
}
