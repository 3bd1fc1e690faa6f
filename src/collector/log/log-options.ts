import type { LogDamage } from './log-damage.ts';
import type { LogPosition } from './log-entry.ts';
import type { LogFiles } from './log-files.ts';

export interface LogOptions {
  readonly folder: string;
  readonly files: LogFiles;
  /** A segment takes no more entries once it would be larger (one entry may be), or older. */
  readonly segmentBytes: number;
  readonly segmentSeconds: number;
  /** Of one entry, its head included. */
  readonly maxEntryBytes: number;
  /** Of all entries that are not yet on disk: what is more is refused. */
  readonly maxWaitingBytes: number;
  /**
   * Up to where entries are committed. No entry gets a number before it again, whatever a damaged disk has lost of the log:
   * it would be taken for one that was read already.
   */
  readonly committed: LogPosition;
  readonly nowMicros: () => number;
  /** Eight random bytes that nobody outside can guess (log-segment.ts). */
  readonly newMarker: () => Uint8Array;
  /** Told once of each, when the log is opened or when it is read. */
  readonly onDamage: (damage: LogDamage) => void;
}

export const LOG_LIMITS = {
  segmentBytes: 67_108_864,
  segmentSeconds: 3_600,
  maxEntryBytes: 33_554_432,
  maxWaitingBytes: 134_217_728,
} as const satisfies Partial<LogOptions>;
