import { posix } from 'node:path';
import type { Feed, FileEncoding } from '../../domain/feeds.ts';
import { objectUrl } from '../../domain/object-location.ts';
import { below } from '../../sources/list-objects.ts';
import type { FolderScan } from '../../sources/scan-folder.ts';
import type { ObjectStores } from '../object-stores.ts';
import type { WatchedPlace } from './watched-place.ts';

export interface WatchedBucket {
  readonly feed: Feed;
  readonly bucket: string;
  /** Of its keys: as a folder, whatever is below it. */
  readonly prefix: string;
  readonly encoding?: FileEncoding;
  readonly delimiter?: string;
  readonly pattern?: string;
  readonly everySeconds: number;
}

/** Objects below a prefix. They appear whole, so that each is taken at the first look; what it looked like is its version. */
export class BucketFolder implements WatchedPlace {
  readonly name: string;
  readonly feed: Feed;
  readonly encoding?: FileEncoding;
  readonly delimiter?: string;
  readonly quietSeconds = 0;
  readonly lookEveryMs: number;
  readonly stores: ObjectStores;
  readonly away = 'kept';
  private readonly place: WatchedBucket;
  private readonly url: string;

  constructor(place: WatchedBucket, stores: ObjectStores) {
    const { bucket, prefix, pattern, feed, encoding, delimiter, everySeconds } = place;
    this.place = place;
    this.stores = stores;
    this.url = objectUrl({ bucket, key: prefix });
    this.name = pattern === undefined ? this.url : `${this.url} (${pattern})`;
    this.feed = feed;
    if (encoding !== undefined) this.encoding = encoding;
    if (delimiter !== undefined) this.delimiter = delimiter;
    this.lookEveryMs = everySeconds * 1_000;
  }

  async look(signal: AbortSignal): Promise<FolderScan> {
    const { bucket, prefix, pattern } = this.place;
    const start = objectUrl({ bucket, key: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` }).length;
    const files = await below(await this.stores.bucket(bucket), prefix, signal);
    const described = files.map((file) => ({ ...file, name: file.path.slice(start), fingerprint: `${file.bytes} ${file.version}` }));
    return { files: pattern === undefined ? described : described.filter(({ name }) => posix.matchesGlob(name, pattern)), problems: [] };
  }

  describeFailure(error: Error): string {
    return error.message.startsWith('s3://') ? error.message : `${this.url} cannot be listed: ${error.message}`;
  }

  watch(): undefined {
    return undefined;
  }

  async putAway(): Promise<boolean> {
    return true;
  }
}
