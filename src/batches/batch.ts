import type { Feed, FileEncoding } from '../domain/feeds.ts';
import type { Arrival, RawRecord, SourcePart, StagedChunk } from '../staging/staged-chunk.ts';

/** Why a batch changes what earlier ones said, where it does (SEMANTICS §11). */
export type BatchCause = 'late' | 'replay' | 'reference' | 'erasure' | 'model' | 'retention';

/** A stretch of a source, decoded and staged. */
export interface SourceChunk extends StagedChunk {
  readonly feed: Feed;
  readonly source: string;
  readonly receivedAtMicros: number;
  /** Absent: all of it was received then. */
  readonly arrivals?: readonly Arrival[];
  /** Where its records came from, by the names that its rows have; absent: all of them from `source`. */
  readonly parts?: readonly SourcePart[];
}

export function partsOf({ source, received, quarantined, parts }: SourceChunk): readonly SourcePart[] {
  return parts ?? [{ source, received, quarantined }];
}

/** How far a file is taken once the batch is committed. */
export interface FileProgress {
  readonly path: string;
  readonly feed: Feed;
  readonly sha256: string;
  /** Of an object, as its store says it: as long as it is the same, so are the bytes. */
  readonly version?: string;
  readonly encoding: FileEncoding;
  readonly bytes: number;
  readonly receivedAtMicros: number;
  /** Nothing is left to take. */
  readonly done: boolean;
  /** False when it was cut or damaged. */
  readonly complete: boolean;
  readonly unknownFields: readonly (readonly [field: string, records: number])[];
}

/** A record whose identity is taken by another content: where it stands, so that its bytes can be read again. */
export interface ConflictingRecord {
  readonly feed: Feed;
  readonly source: string;
  readonly position: number;
  readonly receivedAtMicros: number;
  readonly eventKey: string;
}

/** How far a source that goes on (a log, a topic) is taken once the batch is committed. */
export interface SourcePosition {
  readonly source: string;
  readonly feed: Feed;
  readonly nextEntry: number;
  /** Records are numbered on from entry to entry. */
  readonly nextRecord: number;
  readonly unknownFields: readonly (readonly [field: string, records: number])[];
}

export interface Batch {
  readonly cause: BatchCause;
  readonly chunks: readonly SourceChunk[];
  readonly files: readonly FileProgress[];
  readonly positions?: readonly SourcePosition[];
  /** The quarantine_id of records that this batch replays; those that are accepted now are marked. */
  readonly replays?: readonly string[];
  /** Day (YYYY-MM-DD, UTC) from which on a batch of the cause `model` derives everything anew. */
  readonly rebuildFrom?: string;
  /** Folder for what the batch itself must stage. */
  readonly stagingDirectory: string;
  /** What else is committed with the batch. */
  readonly alsoCommit?: () => Promise<void>;
  readRaw(records: readonly ConflictingRecord[]): Promise<readonly RawRecord[]>;
}

export interface OutcomeCounts {
  received: number;
  accepted: number;
  duplicate: number;
  quarantined: number;
}

export function addCounts(sum: OutcomeCounts, counts: OutcomeCounts): void {
  sum.received += counts.received;
  sum.accepted += counts.accepted;
  sum.duplicate += counts.duplicate;
  sum.quarantined += counts.quarantined;
}

export interface CommittedBatch {
  readonly batchId: number;
  readonly outcomes: OutcomeCounts;
  /** By source and feed, as `${feed} ${source}`. */
  readonly bySource: ReadonlyMap<string, OutcomeCounts>;
  readonly restated: number;
}
