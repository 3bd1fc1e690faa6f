import { describe, expect, it } from 'vitest';
import { feedGroups } from './feed-groups.ts';

describe('feedGroups', () => {
  it('gives every path to the feed that was named last before it', () => {
    expect(feedGroups('campaigns', ['a.csv', 'b.csv', 'ad-impressions', 'logs', 'campaigns', 'c.csv'])).toEqual([
      { feed: 'campaigns', paths: ['a.csv', 'b.csv'] },
      { feed: 'ad-impressions', paths: ['logs'] },
      { feed: 'campaigns', paths: ['c.csv'] },
    ]);
  });

  it('takes a feed by its exact name alone, so that ./campaigns and users/ are paths', () => {
    expect(feedGroups('users', ['./campaigns', 'users/', 'Campaigns', 'campaigns.csv'])).toEqual([
      { feed: 'users', paths: ['./campaigns', 'users/', 'Campaigns', 'campaigns.csv'] },
    ]);
  });

  it.each([
    ['the first', 'campaigns', ['users', 'users.csv'], 'campaigns'],
    ['one between', 'campaigns', ['a.csv', 'users', 'creatives', 'b.csv'], 'users'],
    ['the last', 'campaigns', ['a.csv', 'users'], 'users'],
    ['one that names its own folder', 'ad-impressions', ['ad-impressions'], 'ad-impressions'],
  ] as const)('refuses a feed without a path: %s', (_, first, words, feed) => {
    expect(() => feedGroups(first, words)).toThrow(expect.objectContaining({ code: 'usage', message: `No path stands after the feed ${feed}` }));
    expect(() => feedGroups(first, words)).toThrow(expect.objectContaining({ remedy: expect.stringContaining(`./${feed}`) }));
  });
});
