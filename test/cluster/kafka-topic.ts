import { randomUUID } from 'node:crypto';
import { Admin, Consumer, ListOffsetTimestamps, type Message, MessagesStreamModes, Producer } from '@platformatic/kafka';
import type { KafkaClientOptions } from '../../src/sources/kafka/client-options.ts';

/** A topic of a test's own. */
export async function makeTopic(options: KafkaClientOptions, partitions = 1): Promise<string> {
  const topic = `test-${randomUUID()}`;
  const admin = new Admin(options);
  try {
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  } finally {
    await admin.close();
  }
  return topic;
}

export async function produceTexts(options: KafkaClientOptions, topic: string, texts: readonly string[]): Promise<void> {
  const producer = new Producer({ ...options, retries: 0 });
  try {
    await producer.send({ messages: texts.map((text) => ({ topic, value: Buffer.from(text) })), acks: -1 });
  } finally {
    await producer.close();
  }
}

/** The first records of a topic, as they come. */
export async function consume(options: KafkaClientOptions, topic: string, count: number): Promise<Message<Buffer, Buffer, Buffer, Buffer>[]> {
  const consumer = new Consumer({ ...options, retries: 0, groupId: `test-${randomUUID()}`, maxWaitTime: 200 });
  try {
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false });
    const messages: Message<Buffer, Buffer, Buffer, Buffer>[] = [];
    for await (const message of stream) {
      messages.push(message);
      if (messages.length === count) break;
    }
    return messages;
  } finally {
    await consumer.close(true);
  }
}

export async function consumeTexts(options: KafkaClientOptions, topic: string, count: number): Promise<string[]> {
  return (await consume(options, topic, count)).map(({ value }) => value.toString());
}

/** Of all partitions, without reading them. */
export function countRecords(options: KafkaClientOptions, topic: string): Promise<number> {
  return withAdmin(options, async (admin) => {
    const { topics } = await admin.metadata({ topics: [topic] });
    const partitions = Array.from({ length: topics.get(topic)?.partitionsCount ?? 0 }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: ListOffsetTimestamps.LATEST,
    }));
    const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
    return found?.partitions.reduce((sum, { offset }) => sum + Number(offset), 0) ?? 0;
  });
}

export async function withAdmin<T>(options: KafkaClientOptions, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin(options);
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

export async function withProducer(
  options: KafkaClientOptions,
  work: (producer: Producer) => Promise<void>,
  more: { readonly idempotent?: boolean; readonly transactionalId?: string } = {},
): Promise<void> {
  const producer = new Producer({ ...options, ...more, retries: 3 });
  try {
    await work(producer);
  } finally {
    await producer.close();
  }
}
