import type { SourcePosition } from '../../batches/batch.ts';
import type { Feed } from '../../domain/feeds.ts';
import { partitionName, partitionOf, topicName } from '../../sources/kafka/partition-name.ts';
import type { Instance } from '../instance.ts';

/** How far the tables have a topic. */
export interface TopicPositions {
  /** By partition: the offset of the next message. */
  readonly next: ReadonlyMap<number, number>;
  /** The tables have messages of a topic that had this name before. */
  readonly hadOther: boolean;
}

export async function topicPositions({ engine, batches }: Instance, feed: Feed, topic: string, topicId: string): Promise<TopicPositions> {
  const rows = await batches.alone(() =>
    engine.rows<{ source: string; next_entry: bigint }>(
      'select source, max(next_entry) as next_entry from store.source_positions where feed = $feed and starts_with(source, $topic) group by source',
      { feed, topic: `${topicName(topic)}/` },
    ),
  );
  const next = new Map<number, number>();
  for (const { source, next_entry } of rows) {
    const partition = partitionOf(source, topic, topicId);
    if (partition !== undefined) next.set(partition, Number(next_entry));
  }
  return { next, hadOther: next.size === 0 && rows.length > 0 };
}

/** What a batch commits: where each partition is read on. */
export function positionsOf(
  { feed, topic, topicId }: { readonly feed: Feed; readonly topic: string; readonly topicId: string },
  next: ReadonlyMap<number, number>,
  unknownFields: ReadonlyMap<string, number>,
): SourcePosition[] {
  return [...next].map(([partition, offset], index) => ({
    source: partitionName(topic, topicId, partition),
    feed,
    nextEntry: offset,
    nextRecord: offset,
    // Counted by topic: told once.
    unknownFields: index === 0 ? [...unknownFields] : [],
  }));
}
