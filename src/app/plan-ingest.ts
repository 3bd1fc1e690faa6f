import type { OutcomeCounts } from '../batches/batch.ts';
import { DEFAULT_ENCODING, type Encoding, type Feed } from '../domain/feeds.ts';
import type { DecodeJob } from '../ingest/decode-file.ts';
import { DELIVERED_ROWS } from '../ingest/delivery-stager.ts';
import type { SourceFile } from '../sources/list-files.ts';
import { sniffEncoding } from '../sources/sniff-encoding.ts';
import type { Instance } from './instance.ts';
import type { FoundFile, IngestRequest } from './source-files.ts';

export interface IngestedFile {
  readonly path: string;
  readonly feed: Feed;
  /** `known`: this content was taken from another file or before; the counts are those of then. */
  readonly state: 'taken' | 'known';
  readonly complete: boolean;
  readonly outcomes: OutcomeCounts;
}

/** A file, or the rest of one, that is to be taken. */
export interface PlannedFile extends SourceFile {
  readonly request: IngestRequest;
  readonly source: string;
  readonly encoding: Encoding;
  readonly sha256: string;
  readonly job: DecodeJob;
}

/** A file whose content was taken before, or is taken now from another one. */
export type KnownFile = Pick<PlannedFile, 'source' | 'request' | 'sha256'>;

/** Which files are new, and from which record on: a file is its content, whatever its name. */
export class IngestPlan {
  readonly planned: PlannedFile[] = [];
  readonly known: KnownFile[] = [];
  private readonly instance: Instance;
  private readonly found: readonly FoundFile[];
  private readonly taken: ReadonlyMap<string, TakenFile>;
  private readonly receivedAtMicros: number;
  private readonly contents = new Set<string>();
  private readonly sources: Set<string>;

  /** `taken`: what the books say of files as long as these. */
  constructor(instance: Instance, found: readonly FoundFile[], taken: ReadonlyMap<string, TakenFile>, receivedAtMicros: number) {
    this.instance = instance;
    this.found = found;
    this.taken = taken;
    this.receivedAtMicros = receivedAtMicros;
    this.sources = new Set(found.map(({ file, request }) => `${request.feed} ${request.sourceName ?? file.path}`));
  }

  /** Files are added one by one, in their order: the first one with a content has it taken. Undefined for one that is known. */
  async add({ file, request }: FoundFile, sha256: string): Promise<PlannedFile | undefined> {
    const content = `${request.feed} ${sha256}`;
    const before = this.taken.get(content);
    const source = request.sourceName ?? file.path;
    if (before?.done || this.contents.has(content)) {
      this.known.push({ source, request, sha256 });
      return undefined;
    }
    this.contents.add(content);
    const encoding = request.encoding ?? (await sniffEncoding(file.path)) ?? DEFAULT_ENCODING[request.feed];
    const number = this.planned.length;
    const job: DecodeJob = {
      path: file.path,
      source: this.sourceOf(request.feed, source, before?.path),
      feed: request.feed,
      encoding,
      delimiter: request.delimiter ?? ',',
      bytes: file.bytes,
      modifiedMs: file.modifiedMs,
      firstPosition: before?.outcomes.received ?? 0,
      receivedAtMicros: before?.receivedAtMicros ?? this.receivedAtMicros,
      directory: this.instance.directory.staging,
      name: `${request.feed}-${number}`,
      firstStageRow: DELIVERED_ROWS + number * Math.floor((Number.MAX_SAFE_INTEGER - DELIVERED_ROWS) / this.found.length),
      chunkRecords: this.instance.settings.limits.batch_records,
    };
    const planned = { ...file, request, source: job.source, encoding, sha256, job };
    this.planned.push(planned);
    return planned;
  }

  /** The rest of a file goes on under the path that its first records have, unless another file stands there now: the books tell sources apart by it. */
  private sourceOf(feed: Feed, path: string, earlierPath: string | undefined): string {
    if (earlierPath === undefined || earlierPath === path || this.sources.has(`${feed} ${earlierPath}`)) return path;
    this.sources.add(`${feed} ${earlierPath}`);
    return earlierPath;
  }
}

export const NO_RECORDS: OutcomeCounts = Object.freeze({ received: 0, accepted: 0, duplicate: 0, quarantined: 0 });

export interface TakenFile {
  readonly path: string;
  readonly done: boolean;
  readonly complete: boolean;
  readonly receivedAtMicros: number;
  readonly outcomes: OutcomeCounts;
}

/** What the books say of files that are as long as these, by feed and content: it can be asked before the contents are known. */
export async function takenFiles({ engine }: Instance, found: readonly FoundFile[]): Promise<ReadonlyMap<string, TakenFile>> {
  if (found.length === 0) return new Map();
  const rows = await engine.rows<{
    path: string;
    feed: string;
    sha256: string;
    records: bigint;
    accepted: bigint;
    duplicate: bigint;
    quarantined: bigint;
    done: boolean;
    complete: boolean;
    received_at: bigint;
  }>(`select path, feed, sha256, records, accepted, duplicate, quarantined, done, complete, received_at from ops.files
      where bytes in (${[...new Set(found.map(({ file }) => file.bytes))].join(', ')})`);
  return new Map(
    rows.map((row) => [
      `${row.feed} ${row.sha256}`,
      {
        path: row.path,
        done: row.done,
        complete: row.complete,
        receivedAtMicros: Number(row.received_at),
        outcomes: { received: Number(row.records), accepted: Number(row.accepted), duplicate: Number(row.duplicate), quarantined: Number(row.quarantined) },
      },
    ]),
  );
}
