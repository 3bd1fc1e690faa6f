/** Feeds of events, and the kinds of event that each brings. */
export const EVENT_FEEDS = ['ad-impressions', 'clicks-conversions', 'bid-requests'] as const;
export type EventFeed = (typeof EVENT_FEEDS)[number];

/** Feeds of reference data: what events are resolved and named with. */
export const REFERENCE_FEEDS = ['campaigns', 'creatives', 'users', 'currency-rates'] as const;
export type ReferenceFeed = (typeof REFERENCE_FEEDS)[number];

export const FEEDS = [...EVENT_FEEDS, ...REFERENCE_FEEDS] as const;
export type Feed = (typeof FEEDS)[number];

export const EVENT_TYPES = ['impression', 'click', 'conversion', 'bid_request'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export const ENCODINGS = ['json', 'csv', 'avro'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** What a file may be written in. Rows of Parquet become JSON records on their way: each record has an `Encoding`. */
export const FILE_ENCODINGS = [...ENCODINGS, 'parquet'] as const;
export type FileEncoding = (typeof FILE_ENCODINGS)[number];

export function encodingOfRecords(encoding: FileEncoding): Encoding {
  return encoding === 'parquet' ? 'json' : encoding;
}

/** The encoding a client starts with, where nothing else tells. */
export const DEFAULT_ENCODING: Readonly<Record<Feed, Encoding>> = {
  'ad-impressions': 'json',
  'clicks-conversions': 'csv',
  'bid-requests': 'avro',
  campaigns: 'csv',
  creatives: 'csv',
  users: 'csv',
  'currency-rates': 'csv',
};

export const ATTRIBUTION_MODELS = ['last_touch', 'first_touch', 'linear', 'position_based', 'time_decay'] as const;
export type AttributionModel = (typeof ATTRIBUTION_MODELS)[number];
