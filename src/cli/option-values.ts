import { InvalidArgumentError, Option } from 'commander';
import { AdvertiseXError } from '../domain/errors.ts';
import { FEEDS, type Feed } from '../domain/feeds.ts';

/** A whole number from 1: `--events 1000000`, also `1_000_000`. */
export function parseCount(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}

export function parsePort(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError('Expected a port, from 0 to 65535.');
  return value;
}

/** A day, `2026-03-01`. */
export function parseDay(text: string): string {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(time) || !new Date(time).toISOString().startsWith(text))
    throw new InvalidArgumentError('Expected a day, like 2026-03-01.');
  return text;
}

export function asOfOption(): Option {
  return new Option('--as-of <batch>', 'read everything as it was after this batch').argParser(parseCount);
}

export interface WatchedFeed {
  readonly feed: Feed;
  readonly path: string;
}

/** `FEED=DIR`, again and again. */
export function parseWatched(text: string, before: readonly WatchedFeed[] = []): readonly WatchedFeed[] {
  const [name = '', ...rest] = text.split('=');
  const feed = FEEDS.find((known) => known === name);
  const path = rest.join('=');
  if (feed === undefined || path === '') throw new InvalidArgumentError(`Expected FEED=DIR, where FEED is one of ${FEEDS.join(', ')}.`);
  return [...before, { feed, path }];
}

export interface FeedSubject {
  readonly feed: Feed;
  /** Of the schema registry. */
  readonly subject: string;
}

/** `FEED=SUBJECT`, again and again. */
export function parseSubject(text: string, before: readonly FeedSubject[] = []): readonly FeedSubject[] {
  const [name = '', ...rest] = text.split('=');
  const feed = FEEDS.find((known) => known === name);
  const subject = rest.join('=');
  if (feed === undefined || subject === '') throw new InvalidArgumentError(`Expected FEED=SUBJECT, where FEED is one of ${FEEDS.join(', ')}.`);
  return [...before, { feed, subject }];
}

/** What stands between the cells of CSV. */
export function parseDelimiter(text: string): string {
  const character = text === '\\t' || text === 'tab' ? '\t' : text;
  if (character.length !== 1 || character.charCodeAt(0) > 127 || /["\r\n]/.test(character)) {
    throw new AdvertiseXError('usage', `The delimiter ${JSON.stringify(text)} is not one ASCII character`, 'Give one character, like ; or |, or tab.');
  }
  return character;
}
