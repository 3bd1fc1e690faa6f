import type { StagedChunk } from '../staging/staged-chunk.ts';
import type { DecodedFile, DecodeJob } from './decode-file.ts';
import type { EdgeSettings } from './edge-settings.ts';

/** Resolves when one more chunk may be staged. */
export type TakeChunk = (chunk: StagedChunk, bytesRead: number) => Promise<void>;

/** Where files are decoded. */
export interface DecodePool {
  /** SHA-256 of a file, in hex. */
  hash(path: string): Promise<string>;
  decode(job: DecodeJob, takeChunk: TakeChunk): Promise<DecodedFile>;
  /** For the jobs from here on; nothing can be decoded before. */
  useSettings(edge: EdgeSettings): void;
  close(): Promise<void>;
}
