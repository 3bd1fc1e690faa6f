import { AdvertiseXError } from '../domain/errors.ts';
import { FEEDS, type Feed } from '../domain/feeds.ts';

/** A feed and the paths that were named after it. */
export interface FeedGroup {
  readonly feed: Feed;
  readonly paths: readonly string[];
}

/** `FEED PATH… [FEED PATH…]…`: each feed's name begins a new group, so a path that is called like a feed is written `./campaigns`. */
export function feedGroups(first: Feed, words: readonly string[]): readonly FeedGroup[] {
  const groups: { readonly feed: Feed; readonly paths: string[] }[] = [{ feed: first, paths: [] }];
  for (const word of words) {
    if (isFeed(word)) groups.push({ feed: word, paths: [] });
    else groups.at(-1)?.paths.push(word);
  }
  const empty = groups.find(({ paths }) => paths.length === 0);
  if (empty !== undefined) {
    throw new AdvertiseXError(
      'usage',
      `No path stands after the feed ${empty.feed}`,
      `Name its files after it: \`advertisex ingest ${empty.feed} PATH…\`. A path that is called like a feed is written ./${empty.feed}.`,
    );
  }
  return groups;
}

function isFeed(word: string): word is Feed {
  return (FEEDS as readonly string[]).includes(word);
}
