import { expect, it } from 'vitest';
import { TopicSender } from './topic-sender.ts';

const messages = (sizes: readonly number[]) => sizes.map((size) => ({ key: undefined, value: Buffer.alloc(size) }));

it('sends as much at once as one batch of a broker holds, and one record at least', () => {
  expect(TopicSender.endOfSend(messages([1, 2, 3]), 0)).toBe(3);
  expect(TopicSender.endOfSend(messages([500_000, 300_000, 200_000]), 0)).toBe(2);
  expect(TopicSender.endOfSend(messages([500_000, 300_000, 200_000]), 2)).toBe(3);
  expect(TopicSender.endOfSend(messages([5_000_000, 1]), 0)).toBe(1);
});
