import type { Encoding } from '../domain/feeds.ts';
import type { ResumePoint } from '../encodings/decoder.ts';

/** What a stretch of a source became: its segments, and the outcomes that are certain before the engine has looked at it. */
export interface StagedChunk {
  /** Positions [firstPosition, nextPosition) of the source. */
  readonly firstPosition: number;
  readonly nextPosition: number;
  readonly received: number;
  readonly quarantined: number;
  /** Every few thousand records, where decoding can begin again: how a record's bytes are found once more. */
  readonly resumePoints: readonly ResumePoint[];
  readonly segments: readonly { readonly table: string; readonly path: string; readonly rows: number }[];
}

/** A record as it arrived: a self-contained document, and what is needed to decode it again. */
export interface RawRecord {
  readonly raw: Uint8Array;
  readonly encoding: Encoding;
  readonly delimiter: string;
  readonly contractVersion: string;
}
