import type { Encoding, Feed } from '../domain/feeds.ts';
import type { Violation } from '../domain/outcome.ts';

/** What a sender hands over in one piece. */
export interface Delivery {
  readonly feed: Feed;
  readonly encoding: Encoding;
  readonly delimiter: string;
  /** As it came: plain, gzip or zstd. */
  readonly body: Uint8Array;
}

export interface RefusedRecord {
  /** Its place in the delivery, from 0. */
  readonly record: number;
  readonly violations: readonly Violation[];
}

/** What became of a delivery: what was refused is in quarantine, and the rest is on its way into the tables. */
export interface Receipt {
  readonly received: number;
  readonly refused: readonly RefusedRecord[];
  /** More were refused than are told. */
  readonly moreRefused: number;
}

/** Takes records from senders that wait to be told that they need not send them again. */
export interface Collector {
  /** Resolves once the records survive a loss of power. */
  take(delivery: Delivery): Promise<Receipt>;
}
