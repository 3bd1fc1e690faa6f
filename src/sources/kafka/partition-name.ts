/**
 * What the tables call a partition of a topic: `kafka:ad-impressions/3@5f2c91ab`. The end is of the topic's own id, so that positions in a topic
 * that was deleted and made again under its name are not taken for those in the one before.
 */
export function partitionName(topic: string, topicId: string, partition: number): string {
  return `${topicName(topic)}/${partition}@${shortId(topicId)}`;
}

/** What all partitions of a topic are called together. */
export function topicName(topic: string): string {
  return `kafka:${topic}`;
}

/** The partition that a name stands for; undefined where it is not one of this topic as it is now. */
export function partitionOf(name: string, topic: string, topicId: string): number | undefined {
  const start = `${topicName(topic)}/`;
  const found = name.startsWith(start) ? /^(\d+)@([\da-f]{8})$/.exec(name.slice(start.length)) : null;
  return found !== null && found[2] === shortId(topicId) ? Number(found[1]) : undefined;
}

export function isTopicSource(source: string): boolean {
  return source.startsWith('kafka:');
}

function shortId(topicId: string): string {
  return topicId.replaceAll('-', '').slice(0, 8).toLowerCase();
}
