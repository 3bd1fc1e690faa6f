import type { EventLag } from '../domain/event-lag.ts';
import type { Encoding } from '../domain/feeds.ts';
import type { QuarantineCode } from '../domain/outcome.ts';
import type { ResumePoint } from '../encodings/decoder.ts';

/** What a stretch of a source became: its segments, and the outcomes that are certain before the engine has looked at it. */
export interface StagedChunk {
  /** Positions [firstPosition, nextPosition) of the source. */
  readonly firstPosition: number;
  readonly nextPosition: number;
  readonly received: number;
  readonly quarantined: number;
  /** What they are quarantined for. */
  readonly refusals: ReadonlyMap<QuarantineCode, number>;
  /** Of its events, those included that turn out to be duplicates; undefined where it has none. */
  readonly eventLag: EventLag | undefined;
  /** Every few thousand records, where decoding can begin again: how a record's bytes are found once more. */
  readonly resumePoints: readonly ResumePoint[];
  readonly segments: readonly { readonly table: string; readonly path: string; readonly rows: number }[];
}

/** What of a chunk came from one of its sources. */
export interface SourcePart {
  readonly source: string;
  readonly received: number;
  readonly quarantined: number;
}

/** Records that were received at the same time, or as good as that. */
export interface Arrival {
  readonly receivedAtMicros: number;
  readonly records: number;
}

/** A record as it arrived: a self-contained document, and what is needed to decode it again. */
export interface RawRecord {
  readonly raw: Uint8Array;
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly contractVersion: string;
}

/** A record of the raw archive. */
export interface ArchivedRecord extends RawRecord {
  /** What the tables call the place where it came from. */
  readonly source: string;
  readonly position: number;
  readonly receivedAtMicros: number;
  /** Of a record that did not decode: what the decoder said of it. Its bytes alone may not say it again. */
  readonly problem: { readonly code: 'malformed' | 'too_large' | 'unknown_schema'; readonly message: string } | undefined;
}
