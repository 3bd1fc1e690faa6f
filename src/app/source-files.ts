import type { Encoding, Feed } from '../domain/feeds.ts';
import type { DecodePool } from '../ingest/decode-pool.ts';
import { openPool } from '../ingest/open-pool.ts';
import { listFiles, type SourceFile } from '../sources/list-files.ts';

export interface IngestRequest {
  readonly feed: Feed;
  readonly paths: readonly string[];
  /** Told from the file where absent. */
  readonly encoding?: Encoding;
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

export interface HashedFile extends FoundFile {
  /** SHA-256 of its bytes, in hex. */
  readonly hash: Promise<string>;
}

/** Reference data before what it resolves, touches before conversions: any order gives the same figures, this one restates least. */
const FEEDS_IN_ORDER: readonly Feed[] = ['currency-rates', 'campaigns', 'creatives', 'users', 'ad-impressions', 'bid-requests', 'clicks-conversions'];

/**
 * The files that an ingest is asked for, and the workers that decode them. They are found and hashed from the start: the data that
 * they go into may still be opened meanwhile.
 */
export class SourceFiles {
  readonly found: readonly HashedFile[];
  readonly bytes: number;
  readonly pool: DecodePool;

  private constructor(found: readonly FoundFile[], workers: number | undefined) {
    this.bytes = found.reduce((sum, { file }) => sum + file.bytes, 0);
    this.pool = openPool(this.bytes, workers);
    this.found = found.map((each) => ({ ...each, hash: each.sha256 === undefined ? this.pool.hash(each.file.path) : Promise.resolve(each.sha256) }));
    // Whoever awaits a hash sees it fail; those of files that nobody comes to are of no interest.
    for (const { hash } of this.found) hash.catch(() => undefined);
  }

  /** To be closed, also where no ingest comes to be. */
  static async open(requests: readonly IngestRequest[], workers: number | undefined): Promise<SourceFiles> {
    const found: FoundFile[] = [];
    for (const request of [...requests].sort((a, b) => FEEDS_IN_ORDER.indexOf(a.feed) - FEEDS_IN_ORDER.indexOf(b.feed))) {
      for (const file of await listFiles(request.paths)) found.push({ file, request });
    }
    return new SourceFiles(found, workers);
  }

  /** Of files that were found already. */
  static from(found: readonly FoundFile[], workers: number | undefined): SourceFiles {
    return new SourceFiles(found, workers);
  }

  of(feeds: readonly Feed[]): HashedFile[] {
    return this.found.filter(({ request }) => feeds.includes(request.feed));
  }

  /** Ends what is under way, however often it is called. */
  close(): Promise<void> {
    return this.pool.close();
  }
}
