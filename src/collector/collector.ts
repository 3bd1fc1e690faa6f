import type { Encoding, Feed } from '../domain/feeds.ts';

/** Records of one feed that arrived together. */
export interface Delivery {
  readonly feed: Feed;
  readonly encoding: Encoding;
  readonly delimiter: string;
  /** As it came: plain, gzip or zstd, which its first bytes tell. */
  readonly body: Uint8Array;
  /** To be told of memory that it takes beyond its body, until it is settled. Throws where there is none left for it. */
  readonly hold?: (bytes: number) => void;
}

export interface RefusedRecord {
  /** Its place in the request, from 0. */
  readonly record: number;
  readonly violations: readonly { readonly code: string; readonly pointer: string; readonly message: string }[];
}

export interface Receipt {
  readonly received: number;
  readonly refused: readonly RefusedRecord[];
  /** More were refused than are told. */
  readonly moreRefused: number;
}

/**
 * Where records from outside are taken. Refuses with `server_busy`, `log_busy`, `log_failed`, `disk_full` or `log_entry_too_large`; with `body_damaged` where a body does
 * not decompress, and with `body_too_large` where it decompresses to too much, or to too many records.
 */
export interface Collector {
  /** Resolves once the records survive a loss of power. */
  take(delivery: Delivery): Promise<Receipt>;
}
