import { ChunkWindow, type RecordScanner } from '../chunk-window.ts';
import { DecodeReports } from '../decode-reports.ts';
import type { Boundary, Decoder, DecoderOptions, FieldPath, RecordLane, RecordSink, ResumePoint } from '../decoder.ts';
import { buildFieldTree, fieldName } from '../field-tree.ts';
import { decompressBlock, MAX_BLOCK_BYTES } from './block-codecs.ts';
import { type ContainerHeader, ContainerProblem, MAX_HEADER_BYTES, readHeader, readLong, SYNC_BYTES, writeContainer, writeHeader } from './container-header.ts';
import { compileProgram } from './program.ts';
import { RecordReader } from './record-reader.ts';
import { readSchema, SchemaProblem } from './schema.ts';

const NEED_MORE = -1;
const NOTHING = new Uint8Array(0);

/** Where a block stands in the bytes at hand. */
interface BlockFrame {
  readonly count: number;
  readonly start: number;
  readonly size: number;
}

/**
 * Avro object container files. A block is decoded once it is whole and its sync marker stands behind it; a block that
 * the input ends in gives the records that lie before the cut. Blocks, sizes, counts and markers are all checked.
 */
export class AvroDecoder implements Decoder, RecordScanner {
  private readonly reports: DecodeReports;
  private readonly maxRecordBytes: number;
  private readonly fields: readonly FieldPath[];
  private readonly window = new ChunkWindow(this);
  private header: ContainerHeader | undefined;
  private reader: RecordReader | undefined;
  private unknownNames: readonly string[] = [];
  private records = 0;
  private blocks = 0;
  private stopped = false;
  /** Place in the stream of the block (or header) at hand. */
  private blockPlace = 0;
  private blockFirstRecord = 0;
  private headerBytes: Uint8Array = new Uint8Array(0);
  /** Of the documents that its records become. */
  private documentHeader: Uint8Array | undefined;
  private content: Uint8Array = new Uint8Array(0);
  private recordStart = 0;
  private recordEnd = 0;

  constructor(options: DecoderOptions, sink: RecordSink) {
    this.reports = new DecodeReports(sink, options);
    this.maxRecordBytes = options.maxRecordBytes;
    this.fields = options.fields;
  }

  get complete(): boolean {
    return this.reports.complete;
  }

  get unknownFields(): ReadonlyMap<string, number> {
    return new Map(this.records === 0 ? [] : this.unknownNames.map((name) => [name, this.records]));
  }

  push(chunk: Uint8Array): void {
    if (!this.stopped) this.window.push(chunk);
  }

  end(): void {
    if (!this.stopped) this.window.end();
    this.stopped = true;
  }

  damage(message: string): void {
    this.reports.cutShort = message;
    this.end();
    this.reports.damage(message, new Uint8Array(0));
  }

  currentRaw(): Uint8Array {
    return this.documentOf(this.recordStart, this.recordEnd);
  }

  resumePoint(): ResumePoint {
    return { recordNumber: this.blockFirstRecord, offset: this.blockPlace, header: this.headerBytes };
  }

  /** Blocks stand by themselves. */
  boundary(): Boundary | undefined {
    const { open } = this.window;
    return this.header === undefined || this.stopped ? undefined : { end: open, trailer: NOTHING, start: open, header: this.headerBytes };
  }

  scan(bytes: Uint8Array, start: number, end: number, final: boolean, base: number): number {
    let at = start;
    while (!this.stopped) {
      this.blockPlace = base + at;
      this.blockFirstRecord = this.reports.received;
      try {
        if (at === end && this.header !== undefined) return end;
        const next: number = this.header === undefined ? this.takeHeader(bytes, at, end) : this.takeBlock(bytes, at, end, final, this.header);
        if (next === NEED_MORE) {
          if (!final) return at;
          this.stop(this.header === undefined ? 'the input ends inside the header' : 'the input ends inside it', bytes.subarray(at, end));
        }
        at = next;
      } catch (error) {
        if (!(error instanceof ContainerProblem)) throw error;
        this.stop(error.message, bytes.subarray(at, error.behind));
      }
    }
    return end;
  }

  private takeHeader(bytes: Uint8Array, at: number, end: number): number {
    const header = readHeader(bytes, at, end);
    if (header === undefined) {
      if (end - at > MAX_HEADER_BYTES) throw new ContainerProblem(`its header is larger than ${MAX_HEADER_BYTES} bytes`, at + MAX_HEADER_BYTES);
      return NEED_MORE;
    }
    try {
      this.useSchema(header.schema);
      this.header = header;
      this.headerBytes = bytes.slice(at, header.end);
    } catch (error) {
      if (!(error instanceof SchemaProblem)) throw error;
      this.stop(`its schema cannot be used: ${error.message}`, bytes.subarray(at, header.end));
    }
    return header.end;
  }

  private useSchema(schema: string): void {
    const program = compileProgram(readSchema(schema), buildFieldTree(this.fields));
    const names = this.fields.map((_, field) => fieldName(this.fields, field));
    this.reader = new RecordReader(program, names);
    this.unknownNames = program.unknownNames;
    this.reports.lane?.useProgram(program);
  }

  private takeBlock(bytes: Uint8Array, at: number, end: number, final: boolean, { codec, sync }: ContainerHeader): number {
    const frame = readFrame(bytes, at, end);
    if (frame === undefined) return NEED_MORE;
    const { count, start, size } = frame;
    const isWhole = start + size + SYNC_BYTES <= end;
    if (!isWhole && !final) return NEED_MORE;
    const blockEnd = Math.min(end, start + size);
    const { bytes: content, problem } = decompressBlock(codec, bytes.subarray(start, blockEnd), start + size > end);
    const found = problem || this.readRecords(content, count);
    const behind = start + size + SYNC_BYTES;
    if (this.stopped) return behind;
    if (!isWhole) this.stop('the input ends inside it', bytes.subarray(at, end));
    else if (found !== '') this.stop(found, bytes.subarray(at, behind));
    else if (!sync.every((byte, i) => byte === bytes[start + size + i])) this.stop('its sync marker is not the one of the file', bytes.subarray(at, behind));
    this.blocks++;
    return behind;
  }

  /** Reports the block's records; returns what is wrong with the block, or nothing. */
  private readRecords(content: Uint8Array, count: number): string {
    const reader = this.reader as RecordReader;
    this.content = content;
    const { lane } = this.reports;
    reader.startBlock(content, content.length);
    lane?.open(content, 0, content.length);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const taken = lane === undefined ? 0 : lane.takeAvro(at, count - i, this.reports.received);
      if (taken > 0) {
        this.records += taken;
        this.reports.received += taken;
        at = (lane as RecordLane).behind;
        i += taken;
        if (i === count) break;
      }
      const behind = reader.read(at);
      if (behind < 0) return `its record ${i} does not decode: ${reader.problem}`;
      this.report(reader, at, behind);
      at = behind;
    }
    return at === content.length ? '' : `${content.length - at} bytes are left behind its last record`;
  }

  private report(reader: RecordReader, start: number, end: number): void {
    if (end - start > this.maxRecordBytes) {
      this.reports.malformed(this.recordSentence(`it is larger than ${this.maxRecordBytes} bytes`), this.content.subarray(start, end), 'too_large');
    } else if (reader.flaw !== '') {
      this.reports.malformed(this.recordSentence(reader.flaw), this.documentOf(start, end));
    } else {
      this.recordStart = start;
      this.recordEnd = end;
      this.records++;
      this.reports.record(reader.slots);
    }
  }

  private stop(problem: string, raw: Uint8Array): void {
    this.stopped = true;
    this.reports.damage(this.sentence(problem), raw);
  }

  private sentence(problem: string): string {
    return this.header === undefined
      ? `The Avro file cannot be read: ${problem}.`
      : `Block ${this.blocks} of the Avro file (at byte ${this.blockPlace}) is damaged: ${problem}.`;
  }

  private recordSentence(problem: string): string {
    return `A record in block ${this.blocks} of the Avro file (at byte ${this.blockPlace}) does not decode: ${problem}.`;
  }

  private documentOf(start: number, end: number): Uint8Array {
    const { schema, sync } = this.header as ContainerHeader;
    this.documentHeader ??= writeHeader(schema, sync);
    return writeContainer(this.documentHeader, sync, this.content.subarray(start, end));
  }
}

function readFrame(bytes: Uint8Array, at: number, end: number): BlockFrame | undefined {
  const count = readLong(bytes, at, end);
  const size = count && readLong(bytes, count.behind, end);
  if (count === undefined || size === undefined) return undefined;
  if (size.value < 0 || count.value < 0) throw new ContainerProblem('its count or size is negative', size.behind);
  if (size.value > MAX_BLOCK_BYTES) throw new ContainerProblem(`it is larger than ${MAX_BLOCK_BYTES} bytes`, size.behind);
  return { count: count.value, start: size.behind, size: size.value };
}
