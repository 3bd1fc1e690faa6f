import { expect, it } from 'vitest';
import { isTopicSource, partitionName, partitionOf } from './partition-name.ts';

const ID = '5f2c91ab-1234-4000-8000-00000000abcd';
const OTHER = '6f2c91ab-1234-4000-8000-00000000abcd';

it('names a partition of a topic as it is now', () => {
  expect(partitionName('ad-impressions', ID, 3)).toBe('kafka:ad-impressions/3@5f2c91ab');
  expect(partitionOf('kafka:ad-impressions/3@5f2c91ab', 'ad-impressions', ID)).toBe(3);
  expect(isTopicSource(partitionName('t', ID, 0))).toBe(true);
});

it.each([
  'kafka:ad-impressions/3@6f2c91ab',
  'kafka:ad/impressions/3@5f2c91ab',
  'kafka:ad-impressions-2/3@5f2c91ab',
  'kafka:ad-impressions/x@5f2c91ab',
  'http',
  'kafka:ad-impressions',
])('takes %s for none of it', (name) => expect(partitionOf(name, 'ad-impressions', ID)).toBeUndefined());

it('tells a topic from another one of the same name', () => expect(partitionOf(partitionName('t', ID, 0), 't', OTHER)).toBeUndefined());
