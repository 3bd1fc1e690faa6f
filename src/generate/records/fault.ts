import type { QuarantineCode } from '../../domain/outcome.ts';
import type { RandomStream } from '../random-stream.ts';

/** One way in which a record is broken, with what the quarantine must say about it. */
export interface Fault<R> {
  /** A few words for the truth. */
  readonly sort: string;
  readonly code: QuarantineCode;
  /** JSON pointer of the field, empty for the whole record. */
  readonly pointer: string;
  readonly spoil?: (record: R, random: RandomStream) => void;
  /** Damages the record's bytes, its line feed included. */
  readonly garble?: (bytes: Buffer, random: RandomStream) => Buffer;
}
