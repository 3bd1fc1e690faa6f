import type { Feed, FileEncoding } from '../../domain/feeds.ts';
import type { FolderFile, FolderScan } from '../../sources/scan-folder.ts';
import type { ObjectStores } from '../object-stores.ts';

/** Where files come to, one by one: a folder of this machine, or what begins alike in a bucket. */
export interface WatchedPlace {
  /** What it is called in status, metrics and the log. */
  readonly name: string;
  readonly feed: Feed;
  readonly encoding?: FileEncoding;
  readonly delimiter?: string;
  /** A file that has not changed for so long is complete. */
  readonly quietSeconds: number;
  /** How often it is looked at, where nothing tells of a change. */
  readonly lookEveryMs: number;
  /** How its files are come by, where they are not on this machine. */
  readonly stores?: ObjectStores;
  /** What is there. Throws where the place itself cannot be read. */
  look(signal: AbortSignal): Promise<FolderScan>;
  /** Why it cannot be looked at, in a sentence. */
  describeFailure(error: Error): string;
  /** Calls when something may have changed, until it is stopped; it need not. */
  watch(onHint: () => void, onEnd: () => void): (() => void) | undefined;
  /** Does with a file that is taken what is wanted of it; false: it is another one by now, and left there. */
  putAway(file: FolderFile, isComplete: boolean): Promise<boolean>;
  /** What `putAway` does, to follow the word "is". */
  readonly away: string;
}
