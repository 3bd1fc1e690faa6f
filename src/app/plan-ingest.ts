import type { OutcomeCounts } from '../batches/batch.ts';
import { DEFAULT_ENCODING, type Feed, type FileEncoding } from '../domain/feeds.ts';
import type { DecodeJob } from '../ingest/decode-file.ts';
import { DELIVERED_ROWS } from '../ingest/delivery-stager.ts';
import { sniffEncoding } from '../sources/sniff-encoding.ts';
import type { SourceFile } from '../sources/source-file.ts';
import type { BatchQueue } from './batch-queue.ts';
import type { FileContent } from './file-content.ts';
import type { Instance } from './instance.ts';
import type { FoundFile, IngestRequest, OpenedFile } from './source-files.ts';

export interface IngestedFile {
  readonly path: string;
  readonly feed: Feed;
  /** `known`: this content was taken from another file or before; the counts are those of then. */
  readonly state: 'taken' | 'known';
  readonly complete: boolean;
  /** Nothing is left to take: false where another ingest is at it, or was stopped. */
  readonly done: boolean;
  readonly outcomes: OutcomeCounts;
}

/** How the files of an ingest are staged. */
export interface StagePlan {
  readonly directory: string;
  /** Ingests at the same time have lanes of their own: the rows of all may go into one batch. */
  readonly lane: number;
  readonly chunkRecords: number;
  readonly receivedAtMicros: number;
}

/** A file, or the rest of one, that is to be taken. */
export interface PlannedFile extends SourceFile {
  readonly request: IngestRequest;
  readonly source: string;
  readonly encoding: FileEncoding;
  readonly sha256: string;
  readonly job: DecodeJob;
  readonly content: FileContent;
}

/** A file whose content was taken before, or is taken now from another one. */
export type KnownFile = Pick<PlannedFile, 'path' | 'source' | 'request' | 'sha256'>;

const LANES = 64;
/** Rows of the first lane, which ingests of any size take; the others share as many. */
const FIRST_LANE_ROWS = Math.floor((Number.MAX_SAFE_INTEGER - DELIVERED_ROWS) / 2);
const LANE_ROWS = Math.floor(FIRST_LANE_ROWS / LANES);

/** Lanes beside the first one. */
export const MORE_LANES = LANES;

/** What ingests that are open at the same time have in hand: each content is taken by one of them. */
interface InHand {
  openIngests: number;
  /** Also those that were taken since the first of them began: the others may have read the books before that. */
  readonly contents: Set<string>;
}

const ingestsInHand = new WeakMap<BatchQueue, InHand>();

/** Which files are new, and from which record on: a file is its content, whatever its name. */
export class IngestPlan {
  readonly planned: PlannedFile[] = [];
  readonly known: KnownFile[] = [];
  private readonly found: readonly FoundFile[];
  private readonly taken: ReadonlyMap<string, TakenFile>;
  private readonly stage: StagePlan;
  private readonly inHand: InHand;
  private readonly sources: Set<string>;

  /** `taken`: what the books say of files as long as these. */
  constructor(queue: BatchQueue, found: readonly FoundFile[], taken: ReadonlyMap<string, TakenFile>, stage: StagePlan) {
    this.found = found;
    this.taken = taken;
    this.stage = stage;
    this.inHand = ingestsInHand.get(queue) ?? { openIngests: 0, contents: new Set() };
    ingestsInHand.set(queue, this.inHand);
    this.inHand.openIngests++;
    this.sources = new Set(found.map(({ file, request }) => `${request.feed} ${request.sourceName ?? file.path}`));
  }

  /** Files are added one by one, in their order: the first one with a content has it taken. Undefined for one that is known. */
  async add({ file, request, content: bytes }: OpenedFile, sha256: string): Promise<PlannedFile | undefined> {
    const content = `${request.feed} ${sha256}`;
    const before = this.taken.get(content);
    const source = request.sourceName ?? file.path;
    if (before?.done || this.inHand.contents.has(content)) {
      this.known.push({ path: file.path, source, request, sha256 });
      return undefined;
    }
    this.inHand.contents.add(content);
    const { path: place, modifiedMs } = await bytes.here();
    const encoding = request.encoding ?? (await sniffEncoding(place, file.path)) ?? DEFAULT_ENCODING[request.feed];
    const number = this.planned.length;
    const job: DecodeJob = {
      path: file.path,
      place,
      source: this.sourceOf(request.feed, source, before?.path),
      feed: request.feed,
      encoding,
      delimiter: request.delimiter ?? ',',
      bytes: file.bytes,
      modifiedMs,
      firstPosition: before?.outcomes.received ?? 0,
      receivedAtMicros: before?.receivedAtMicros ?? this.stage.receivedAtMicros,
      directory: this.stage.directory,
      name: `${request.feed}-${number}`,
      firstStageRow: firstStageRow(this.stage.lane, number, this.found.length),
      chunkRecords: this.stage.chunkRecords,
    };
    const planned = { ...file, request, source: job.source, encoding, sha256, job, content: bytes };
    this.planned.push(planned);
    return planned;
  }

  /** The ingest is over: others may take what it was at and has not taken. */
  close(untaken: Iterable<PlannedFile>): void {
    const { inHand } = this;
    inHand.openIngests--;
    if (inHand.openIngests === 0) inHand.contents.clear();
    else for (const { request, sha256 } of untaken) inHand.contents.delete(`${request.feed} ${sha256}`);
  }

  /** The rest of a file goes on under the path that its first records have, unless another file stands there now: the books tell sources apart by it. */
  private sourceOf(feed: Feed, path: string, earlierPath: string | undefined): string {
    if (earlierPath === undefined || earlierPath === path || this.sources.has(`${feed} ${earlierPath}`)) return path;
    this.sources.add(`${feed} ${earlierPath}`);
    return earlierPath;
  }
}

/** Row numbers of files do not meet in a batch. */
/** The first row number of a lane. */
export function laneStart(lane: number): number {
  return DELIVERED_ROWS + (lane === 0 ? 0 : FIRST_LANE_ROWS + (lane - 1) * LANE_ROWS);
}

function firstStageRow(lane: number, number: number, files: number): number {
  return laneStart(lane) + number * Math.floor((lane === 0 ? FIRST_LANE_ROWS : LANE_ROWS) / files);
}

export const NO_RECORDS: OutcomeCounts = Object.freeze({ received: 0, accepted: 0, duplicate: 0, quarantined: 0 });

export interface TakenFile {
  readonly path: string;
  readonly sha256: string;
  /** Of the object that it was taken from. */
  readonly version: string | null;
  readonly done: boolean;
  readonly complete: boolean;
  readonly receivedAtMicros: number;
  readonly outcomes: OutcomeCounts;
}

type TakenRow = {
  readonly path: string;
  readonly version: string | null;
  readonly feed: string;
  readonly sha256: string;
  readonly records: bigint;
  readonly accepted: bigint;
  readonly duplicate: bigint;
  readonly quarantined: bigint;
  readonly done: boolean;
  readonly complete: boolean;
  readonly received_at: bigint;
};

/** What the books say of files that are as long as these, by feed and content: it can be asked before the contents are known. */
export async function takenFiles({ engine, batches }: Instance, found: readonly FoundFile[]): Promise<ReadonlyMap<string, TakenFile>> {
  if (found.length === 0) return new Map();
  const lengths = [...new Set(found.map(({ file }) => file.bytes))].join(', ');
  // As ops.files has it, which tells all files apart before these are found. A content has one length: files of others are no matter.
  const read = () =>
    engine.rows<TakenRow>(`select path, version, feed, sha256, records, accepted, duplicate, quarantined, done, complete, received_at from store.files
      where bytes in (${lengths}) qualify row_number() over (partition by feed, sha256 order by batch_id desc) = 1`);
  // While a batch runs, the engine shows what it has written so far.
  const rows = await batches.alone(read);
  return new Map(
    rows.map((row) => [
      `${row.feed} ${row.sha256}`,
      {
        path: row.path,
        sha256: row.sha256,
        version: row.version,
        done: row.done,
        complete: row.complete,
        receivedAtMicros: Number(row.received_at),
        outcomes: { received: Number(row.records), accepted: Number(row.accepted), duplicate: Number(row.duplicate), quarantined: Number(row.quarantined) },
      },
    ]),
  );
}

/** What is known of objects by their versions alone: the books say which content each had, and nothing has to be read for it. */
export function useKnownVersions(found: readonly OpenedFile[], taken: ReadonlyMap<string, TakenFile>): void {
  const known = new Map<string, string>();
  for (const [content, { path, sha256, version }] of taken) {
    if (version !== null) known.set(`${content.slice(0, content.indexOf(' '))} ${version} ${path}`, sha256);
  }
  for (const { file, request, content } of found) {
    const sha256 = file.version === undefined ? undefined : known.get(`${request.feed} ${file.version} ${file.path}`);
    if (sha256 !== undefined) content.know(sha256);
  }
}
