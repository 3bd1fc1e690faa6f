import type { StagedChunk } from '../staging/staged-chunk.ts';
import type { DecodedFile, DecodeJob } from './decode-file.ts';
import type { EdgeSettings } from './edge-settings.ts';

/** What the main thread and a decoding worker say to each other. One job at a time. */
export type WorkerRequest =
  | { readonly kind: 'settings'; readonly edge: EdgeSettings }
  | { readonly kind: 'hash'; readonly path: string }
  | { readonly kind: 'decode'; readonly job: DecodeJob }
  /** One more chunk may be staged. */
  | { readonly kind: 'go-on' };

export type WorkerReply =
  | { readonly kind: 'chunk'; readonly chunk: StagedChunk; readonly bytesRead: number }
  | { readonly kind: 'done'; readonly result: string | DecodedFile }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly remedy: string };
