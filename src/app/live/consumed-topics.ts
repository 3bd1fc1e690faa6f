import { readFile } from 'node:fs/promises';
import type { Environment } from '../../config/secrets.ts';
import type { Settings } from '../../config/settings.ts';
import { AdvertiseXError } from '../../domain/errors.ts';
import { DEFAULT_ENCODING } from '../../domain/feeds.ts';
import type { SchemaSource } from '../../encodings/messages.ts';
import type { MessageFormat } from '../../ingest/message-stager.ts';
import { type KafkaClientOptions, kafkaClientOptions } from '../../sources/kafka/client-options.ts';
import type { SchemaRegistry } from '../../sources/registry/schema-registry.ts';
import { openRegistry, subjectOf } from '../open-registry.ts';
import type { ConsumedTopic } from './topic-session.ts';

type TopicSettings = Settings['sources']['topics'][number];

/** Topics, and how to connect to the brokers that have them. */
export interface TopicsToConsume {
  readonly consumed: readonly ConsumedTopic[];
  readonly client: KafkaClientOptions;
  /** Ends questions to registries that are open: nobody waits for the answer. */
  readonly close: () => void;
}

/** Those of the settings; undefined where there are none. Throws `config_invalid`. */
export async function topicsToConsume(settings: Settings, environment: Environment): Promise<TopicsToConsume | undefined> {
  if (settings.sources.topics.length === 0) return undefined;
  const registries: SchemaRegistry[] = [];
  const consumed = await consumedTopics(settings, registries);
  const close = () => {
    for (const registry of registries) registry.close();
  };
  return { consumed, client: await kafkaClientOptions(settings.kafka, environment), close };
}

/** With how their messages are decoded; registries that are opened for that are added to `opened`. */
async function consumedTopics({ sources, registry }: Pick<Settings, 'sources' | 'registry'>, opened: SchemaRegistry[]): Promise<ConsumedTopic[]> {
  const topics: ConsumedTopic[] = [];
  for (const each of sources.topics) topics.push({ feed: each.feed, topic: each.topic, from: each.from, format: await formatOf(each, registry, opened) });
  return topics;
}

async function formatOf(topic: TopicSettings, registry: Settings['registry'], opened: SchemaRegistry[]): Promise<MessageFormat> {
  const { delimiter, columns, schema, framing } = topic;
  const encoding = topic.encoding ?? DEFAULT_ENCODING[topic.feed];
  if (encoding === 'json') return { encoding };
  if (encoding === 'csv') return { encoding, ...(delimiter === undefined ? {} : { delimiter }), ...(columns === undefined ? {} : { columns }) };
  if (schema !== undefined) return { encoding, framing: { schema: await readSchema(schema) }, schemas: NO_SCHEMAS };
  if (registry.url === undefined) {
    throw new AdvertiseXError(
      'config_invalid',
      `The messages of the topic ${topic.topic} name their schemas, and there is no registry that has them`,
      'Set registry.url, or the schema of all its messages (schema, in sources.topics).',
    );
  }
  const schemas = openRegistry(registry, [subjectOf(topic.topic)]);
  opened.push(schemas);
  return { encoding, framing, schemas };
}

async function readSchema(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AdvertiseXError('config_invalid', `The schema ${path} cannot be read: ${(cause as Error).message}`, 'Correct the path, or the file.', cause);
  }
}

/** Nobody asks for one. */
const NO_SCHEMAS: SchemaSource = { byId: async () => undefined, candidates: async () => [] };
