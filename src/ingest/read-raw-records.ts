import { compileContract } from '../contracts/compile-contract.ts';
import type { NormalisingRules } from '../contracts/contract.ts';
import { createDecoder } from '../encodings/create-decoder.ts';
import type { Decoder, DecoderOptions, ResumePoint } from '../encodings/decoder.ts';
import { openDecompressed } from '../encodings/open-stream.ts';
import type { RawRecord } from '../staging/staged-chunk.ts';
import { contractOf } from '../staging/staged-tables.ts';
import { type DecodeJob, decoderOptions, type EdgeSettings, requireUnchanged } from './decode-file.ts';
import { FileChunks } from './file-chunks.ts';

/**
 * Reads records of a file again, by their positions, for their bytes. The file is streamed once; only stretches that hold a
 * wanted record are decoded, each from the last resume point before it.
 */
export async function readRawRecords(
  job: DecodeJob,
  edge: EdgeSettings,
  positions: readonly number[],
  points: readonly ResumePoint[],
): Promise<Map<number, RawRecord>> {
  const contract = contractOf(job.feed, edge.contracts);
  const options = decoderOptions(job, edge, compileContract(contract, edge.rules[job.feed] as NormalisingRules));
  const keep = (position: number, raw: Uint8Array) =>
    found.set(position, { raw, encoding: job.encoding, delimiter: job.delimiter, contractVersion: contract.version });
  const stretches = stretchesOf(positions, points);
  const found = new Map<number, RawRecord>();
  let offset = 0;
  let reading: StretchReading | undefined;
  const open = () => new FileChunks(job.path, 524_288);
  for await (const part of openDecompressed(open(), job.path, open)) {
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
  await requireUnchanged(job);
  return found;
}

const PIECE = 65_536;

interface Stretch {
  readonly point: ResumePoint;
  readonly wanted: Set<number>;
}

class StretchReading {
  readonly stretch: Stretch;
  private readonly decoder: Decoder;

  constructor(stretch: Stretch, options: DecoderOptions, keep: (position: number, raw: Uint8Array) => void) {
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
  for (const position of positions) {
    const point = ordered.findLast(({ recordNumber }) => recordNumber <= position);
    if (point === undefined) continue;
    const stretch = stretches.get(point.offset) ?? { point, wanted: new Set() };
    stretch.wanted.add(position);
    stretches.set(point.offset, stretch);
  }
  return [...stretches.values()].sort((a, b) => a.point.offset - b.point.offset);
}
