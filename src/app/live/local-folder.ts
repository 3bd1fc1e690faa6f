import { watch } from 'node:fs';
import type { Feed, FileEncoding } from '../../domain/feeds.ts';
import { type FolderFile, type FolderScan, scanFolder } from '../../sources/scan-folder.ts';
import { type AfterTaken, putAway } from './settled-files.ts';
import type { WatchedPlace } from './watched-place.ts';

export interface WatchedFolder {
  readonly feed: Feed;
  /** Absolute. */
  readonly path: string;
  readonly encoding?: FileEncoding;
  readonly delimiter?: string;
  readonly pattern?: string;
  readonly quietSeconds: number;
  readonly after: AfterTaken;
}

const LOOK_EVERY_MS = 1_000;

/** A folder of this machine. Looking is what is true: that the system tells of changes is a hint, which network file systems and containers do not give. */
export class LocalFolder implements WatchedPlace {
  /** Its path alone where all of its files are taken: a folder may be watched more than once, with patterns that tell its files apart. */
  readonly name: string;
  readonly feed: Feed;
  readonly encoding?: FileEncoding;
  readonly delimiter?: string;
  readonly quietSeconds: number;
  readonly lookEveryMs = LOOK_EVERY_MS;
  readonly away: string;
  private readonly folder: WatchedFolder;

  constructor(folder: WatchedFolder) {
    const { path, pattern, feed, encoding, delimiter, quietSeconds, after } = folder;
    this.folder = folder;
    this.name = pattern === undefined ? path : `${path} (${pattern})`;
    this.feed = feed;
    if (encoding !== undefined) this.encoding = encoding;
    if (delimiter !== undefined) this.delimiter = delimiter;
    this.quietSeconds = quietSeconds;
    this.away = after === 'move' ? 'moved' : 'deleted';
  }

  look(): Promise<FolderScan> {
    return scanFolder(this.folder.path, this.folder.pattern);
  }

  describeFailure(error: NodeJS.ErrnoException): string {
    const { path } = this.folder;
    return error.code === 'ENOENT' ? `There is no folder ${path}` : `${path} cannot be read: ${error.message}`;
  }

  watch(onHint: () => void, onEnd: () => void): (() => void) | undefined {
    try {
      const watcher = watch(this.folder.path, { persistent: false }, onHint);
      watcher.on('error', onEnd);
      return () => watcher.close();
    } catch {
      // It is looked at all the same.
      return undefined;
    }
  }

  putAway(file: FolderFile, isComplete: boolean): Promise<boolean> {
    return putAway(this.folder.path, file, this.folder.after, isComplete);
  }
}
