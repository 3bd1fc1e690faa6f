import { stat } from 'node:fs/promises';
import type { ContractCheck } from '../contracts/contract.ts';
import { AdvertiseXError } from '../domain/errors.ts';
import { encodingOfRecords, type Feed, type FileEncoding } from '../domain/feeds.ts';
import { createDecoder } from '../encodings/create-decoder.ts';
import type { Decoder, DecoderOptions } from '../encodings/decoder.ts';
import { ParquetLines } from '../encodings/open-parquet.ts';
import { openDecompressed, type StreamDamage } from '../encodings/open-stream.ts';
import type { StagedChunk } from '../staging/staged-chunk.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { FileChunks } from './file-chunks.ts';
import { type FeedReceiver, openReceiver } from './open-receiver.ts';

export interface DecodeJob {
  /** What the file is called. */
  readonly path: string;
  /** Where its bytes are on this machine. */
  readonly place: string;
  /** What the tables name as the source of the records. */
  readonly source: string;
  readonly feed: Feed;
  readonly encoding: FileEncoding;
  readonly delimiter: string;
  /** Of what is at that place. */
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly firstPosition: number;
  readonly receivedAtMicros: number;
  readonly directory: string;
  readonly name: string;
  readonly firstStageRow: number;
  /** A chunk has no more records than this: as many as a batch holds. */
  readonly chunkRecords: number;
}

export interface DecodedFile {
  /** The rest of the file's records, which nothing follows. */
  readonly lastChunks: readonly StagedChunk[];
  readonly complete: boolean;
  readonly unknownFields: readonly (readonly [field: string, records: number])[];
}

/** Takes files through the edge, one at a time; what a feed needs is made once. */
export class FileDecoder {
  private readonly edge: EdgeSettings;
  private readonly feeds = new Map<Feed, FeedReceiver>();

  constructor(edge: EdgeSettings) {
    this.edge = edge;
  }

  /** `onChunk` may make it wait. */
  async decode(job: DecodeJob, onChunk: (chunk: StagedChunk, bytesRead: number) => Promise<void>): Promise<DecodedFile> {
    const { check, receiver } = this.feed(job.feed);
    const ready: StagedChunk[] = [];
    receiver.start({
      origin: {
        feed: job.feed,
        source: job.source,
        encoding: encodingOfRecords(job.encoding),
        delimiter: job.delimiter,
        contractVersion: check.contract.version,
        receivedAtMicros: job.receivedAtMicros,
      },
      directory: job.directory,
      name: job.name,
      firstStageRow: job.firstStageRow,
      firstPosition: job.firstPosition,
      chunkRecords: job.chunkRecords,
      onChunk: (chunk) => ready.push(chunk),
    });
    const decoder = createDecoder(decoderOptions(job, this.edge, check), receiver);
    receiver.decoder = decoder;
    await pushFile(job, decoder, async (bytesRead) => {
      for (let chunk = ready.shift(); chunk !== undefined; chunk = ready.shift()) await onChunk(chunk, bytesRead);
    });
    receiver.flush();
    await requireUnchanged(job);
    return { lastChunks: ready, complete: decoder.complete, unknownFields: [...decoder.unknownFields] };
  }

  private feed(feed: Feed): FeedReceiver {
    const made = this.feeds.get(feed) ?? openReceiver(feed, this.edge);
    this.feeds.set(feed, made);
    return made;
  }
}

export function decoderOptions(job: DecodeJob, edge: EdgeSettings, check: ContractCheck): DecoderOptions {
  return { encoding: encodingOfRecords(job.encoding), fields: check.paths, maxRecordBytes: edge.maxRecordBytes, delimiter: job.delimiter };
}

async function pushFile(job: DecodeJob, decoder: Decoder, afterEach: (bytesRead: number) => Promise<void>): Promise<void> {
  const content = openContent(job);
  for await (const part of content.parts) {
    if (part instanceof Uint8Array) decoder.push(part);
    else decoder.damage(part.damage);
    await afterEach(content.bytesRead());
    if (!decoder.complete) break;
  }
  decoder.end();
}

const CHUNK_BYTES = 524_288;

/** What its decoder is pushed: the file's bytes, decompressed, or its rows as JSON. */
export function openContent({ path, place, encoding }: Pick<DecodeJob, 'path' | 'place' | 'encoding'>): {
  readonly parts: AsyncIterable<Uint8Array | StreamDamage>;
  /** Of the file. */
  readonly bytesRead: () => number;
} {
  if (encoding === 'parquet') {
    const lines = new ParquetLines(place);
    return { parts: lines, bytesRead: () => lines.bytesRead };
  }
  const open = () => new FileChunks(place, CHUNK_BYTES);
  const file = open();
  return { parts: openDecompressed(file, path, open), bytesRead: () => file.bytesRead };
}

/** A file that is written to while it is read would be taken in a state that it never had. */
export async function requireUnchanged(job: DecodeJob): Promise<void> {
  const { size, mtimeMs } = await stat(job.place);
  if (size !== job.bytes || mtimeMs !== job.modifiedMs) {
    throw new AdvertiseXError(
      'source_changed',
      `${job.path} changed while it was read`,
      'Run the same command again once the file is complete; nothing of it was taken since the last committed batch.',
    );
  }
}
