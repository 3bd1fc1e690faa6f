import { interrupted } from '../domain/errors.ts';
import type { Feed, FileEncoding } from '../domain/feeds.ts';
import { isObjectUrl } from '../domain/object-location.ts';
import type { DecodePool } from '../ingest/decode-pool.ts';
import { openPool } from '../ingest/open-pool.ts';
import type { StoreSettings } from '../object-store/object-store.ts';
import { listFiles } from '../sources/list-files.ts';
import { listObjects } from '../sources/list-objects.ts';
import type { SourceFile } from '../sources/source-file.ts';
import { FetchedFiles } from './fetched-files.ts';
import { type FileContent, LocalContent } from './file-content.ts';
import { ObjectStores } from './object-stores.ts';

export interface IngestRequest {
  readonly feed: Feed;
  /** Of this machine, or `s3://…`. */
  readonly paths: readonly string[];
  /** Told from the file where absent. */
  readonly encoding?: FileEncoding;
  readonly delimiter?: string;
  /** What the tables name as the source, for input that has no path. */
  readonly sourceName?: string;
}

export interface FoundFile {
  readonly file: SourceFile;
  readonly request: IngestRequest;
  /** Where it is known already: the file is not read for it. */
  readonly sha256?: string;
}

export interface OpenedFile extends FoundFile {
  readonly content: FileContent;
}

/** Reference data before what it resolves, touches before conversions: any order gives the same figures, this one restates least. */
const FEEDS_IN_ORDER: readonly Feed[] = ['currency-rates', 'campaigns', 'creatives', 'users', 'ad-impressions', 'bid-requests', 'clicks-conversions'];

/**
 * The files that an ingest is asked for, and the workers that decode them. Those of this machine are hashed from the start: the data that
 * they go into may still be opened meanwhile. Others are brought here when they are asked for.
 */
export class SourceFiles {
  readonly found: readonly OpenedFile[];
  readonly bytes: number;
  readonly pool: DecodePool;
  private readonly fetched: FetchedFiles;
  private readonly ownStores: ObjectStores | undefined;

  private constructor(found: readonly FoundFile[], workers: number | undefined, stores: ObjectStores, ownStores?: ObjectStores) {
    this.ownStores = ownStores;
    this.bytes = found.reduce((sum, { file }) => sum + file.bytes, 0);
    this.pool = openPool(this.bytes, workers);
    this.fetched = new FetchedFiles(stores);
    this.found = found.map((each) => ({ ...each, content: this.contentOf(each) }));
  }

  /** To be closed, also where no ingest comes to be. */
  static async open(requests: readonly IngestRequest[], workers: number | undefined, s3: StoreSettings = {}, signal?: AbortSignal): Promise<SourceFiles> {
    const stores = new ObjectStores(s3);
    try {
      const found: FoundFile[] = [];
      for (const request of [...requests].sort((a, b) => FEEDS_IN_ORDER.indexOf(a.feed) - FEEDS_IN_ORDER.indexOf(b.feed))) {
        for (const file of await listSources(request.paths, stores, signal)) found.push({ file, request });
      }
      return new SourceFiles(found, workers, stores, stores);
    } catch (error) {
      await stores.close();
      throw error;
    }
  }

  /** Of files that were found already. */
  static from(found: readonly FoundFile[], workers: number | undefined, stores = new ObjectStores({})): SourceFiles {
    return new SourceFiles(found, workers, stores);
  }

  of(feeds: readonly Feed[]): OpenedFile[] {
    return this.found.filter(({ request }) => feeds.includes(request.feed));
  }

  /** Where files of other machines are kept while they are decoded. */
  useFolder(folder: string, requireRoom: () => Promise<void>): void {
    this.fetched.useFolder(folder, requireRoom);
  }

  /** Resolves once there is room for another file. */
  room(): Promise<void> {
    return this.fetched.room();
  }

  /** Ends what is under way, however often it is called. */
  async close(): Promise<void> {
    await Promise.all([this.pool.close(), this.fetched.close()]);
    await this.ownStores?.close();
  }

  private contentOf({ file, sha256 }: FoundFile): FileContent {
    if (isObjectUrl(file.path)) return this.fetched.add(file, sha256);
    return new LocalContent(file, sha256 === undefined ? this.pool.hash(file.path) : Promise.resolve(sha256));
  }
}

/** In the order of their names, each once. */
async function listSources(paths: readonly string[], stores: ObjectStores, signal: AbortSignal | undefined): Promise<SourceFile[]> {
  const local = paths.filter((path) => !isObjectUrl(path));
  const found = new Map((local.length === 0 ? [] : await listFiles(local)).map((file) => [file.path, file]));
  for (const url of paths.filter(isObjectUrl)) {
    const listing = listObjects(url, (bucket) => stores.bucket(bucket), signal);
    const files = await listing.catch((error) => Promise.reject(signal?.aborted ? interrupted(error) : error));
    for (const file of files) found.set(file.path, file);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
