import { compileContract } from '../contracts/compile-contract.ts';
import type { ContractCheck, NormalisingRules } from '../contracts/contract.ts';
import { encodingOfRecords, type Feed } from '../domain/feeds.ts';
import { createDecoder } from '../encodings/create-decoder.ts';
import type { Decoder, DecoderOptions, ResumePoint } from '../encodings/decoder.ts';
import { isCompressed } from '../encodings/open-stream.ts';
import type { RawRecord } from '../staging/staged-chunk.ts';
import { contractOf } from '../staging/staged-tables.ts';
import { type DecodeJob, decoderOptions, openContent, requireUnchanged } from './decode-file.ts';
import type { EdgeSettings } from './edge-settings.ts';
import { FileChunks } from './file-chunks.ts';

/**
 * Reads records of files again, by their positions, for their bytes. Only stretches that hold a wanted record are decoded, each
 * from the last resume point before it; a compressed file is streamed once to come there.
 */
export class RawRecordReader {
  private readonly edge: EdgeSettings;
  private readonly checks = new Map<Feed, ContractCheck>();

  constructor(edge: EdgeSettings) {
    this.edge = edge;
  }

  async read(job: DecodeJob, positions: readonly number[], points: readonly ResumePoint[]): Promise<Map<number, RawRecord>> {
    const check = this.check(job.feed);
    // Where records begin and end is all that is asked: no field of them is read.
    const options = { ...decoderOptions(job, this.edge, check), fields: [] };
    const found = new Map<number, RawRecord>();
    const keep = (position: number, raw: Uint8Array) =>
      found.set(position, { raw, encoding: encodingOfRecords(job.encoding), delimiter: job.delimiter, contractVersion: check.contract.version });
    const stretches = stretchesOf(positions, points);
    const isStream = job.encoding === 'parquet' || (await isCompressed(new FileChunks(job.place, FIRST_BYTES), job.path));
    if (isStream) await streamStretches(job, stretches, options, keep);
    else for (const stretch of stretches) await readStretch(job.place, stretch, options, keep);
    await requireUnchanged(job);
    return found;
  }

  private check(feed: Feed): ContractCheck {
    const made = this.checks.get(feed) ?? compileContract(contractOf(feed, this.edge.contracts), this.edge.rules[feed] as NormalisingRules);
    this.checks.set(feed, made);
    return made;
  }
}

type Keep = (position: number, raw: Uint8Array) => void;

const PIECE = 16_384;
/** Enough to tell what a file is. */
const FIRST_BYTES = 64;

async function readStretch(place: string, stretch: Stretch, options: DecoderOptions, keep: Keep): Promise<void> {
  const reading = new StretchReading(stretch, options, keep);
  for await (const piece of new FileChunks(place, PIECE, stretch.point.offset)) {
    reading.push(piece);
    if (reading.isDone) return;
  }
  reading.end();
}

async function streamStretches(job: DecodeJob, stretches: Stretch[], options: DecoderOptions, keep: Keep): Promise<void> {
  let offset = 0;
  let reading: StretchReading | undefined;
  for await (const part of openContent(job).parts) {
    if (!(part instanceof Uint8Array)) break;
    for (let from = 0; from < part.length && (reading !== undefined || stretches.length > 0); ) {
      reading ??= offset + part.length > (stretches[0] as Stretch).point.offset ? new StretchReading(stretches.shift() as Stretch, options, keep) : undefined;
      if (reading === undefined) break;
      from = Math.max(from, reading.stretch.point.offset - offset);
      // Little by little, to stop soon after the last wanted record.
      const to = Math.min(part.length, from + PIECE);
      reading.push(part.subarray(from, to));
      from = to;
      if (reading.isDone) {
        reading = undefined;
        // The next stretch may begin before here: the pieces overlap, records do not.
        if (stretches[0] !== undefined) from = Math.min(from, Math.max(0, stretches[0].point.offset - offset));
      }
    }
    offset += part.length;
    if (reading === undefined && stretches.length === 0) break;
  }
  reading?.end();
}

interface Stretch {
  readonly point: ResumePoint;
  readonly wanted: Set<number>;
}

class StretchReading {
  readonly stretch: Stretch;
  private readonly decoder: Decoder;

  constructor(stretch: Stretch, options: DecoderOptions, keep: Keep) {
    this.stretch = stretch;
    this.decoder = createDecoder(options, {
      record: (slots) => {
        const position = stretch.point.recordNumber + slots.recordNumber;
        if (stretch.wanted.delete(position)) keep(position, this.decoder.currentRaw().slice());
      },
      malformed: () => undefined,
    });
    this.decoder.push(stretch.point.header);
  }

  get isDone(): boolean {
    return this.stretch.wanted.size === 0 || !this.decoder.complete;
  }

  push(bytes: Uint8Array): void {
    this.decoder.push(bytes);
  }

  end(): void {
    this.decoder.end();
  }
}

/** The wanted positions, by the last point that is not behind them, in the order of the file. */
function stretchesOf(positions: readonly number[], points: readonly ResumePoint[]): Stretch[] {
  const ordered = [...points].sort((a, b) => a.offset - b.offset || a.recordNumber - b.recordNumber);
  const stretches = new Map<number, Stretch>();
  let behind = 0;
  for (const position of [...positions].sort((a, b) => a - b)) {
    while (behind < ordered.length && (ordered[behind] as ResumePoint).recordNumber <= position) behind++;
    const point = ordered[behind - 1];
    if (point === undefined) continue;
    const stretch = stretches.get(point.offset) ?? { point, wanted: new Set() };
    stretch.wanted.add(position);
    stretches.set(point.offset, stretch);
  }
  return [...stretches.values()].sort((a, b) => a.point.offset - b.point.offset);
}
