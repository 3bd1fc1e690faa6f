import { ChunkWindow, type RecordScanner } from '../chunk-window.ts';
import { DecodeReports } from '../decode-reports.ts';
import type { Boundary, Decoder, DecoderOptions, FieldPath, RecordSink, ResumePoint } from '../decoder.ts';
import { Utf8Check } from '../utf8.ts';
import { delimiterByte } from './delimiter.ts';
import { MAX_COLUMNS, readHeader } from './read-header.ts';
import { BROKEN, CARRIAGE_RETURN, LINE_FEED, NEED_MORE, QUOTE, RowReader } from './row-reader.ts';

/** Where in the stream the next byte stands. */
const Place = { start: 0, header: 1, rows: 2, largeRow: 3, badLine: 4, stopped: 5 } as const;

/** Wider headers are read twice. */
const USUAL_COLUMNS = 64;
const NOTHING = new Uint8Array(0);
const LINE_BREAK = Uint8Array.of(CARRIAGE_RETURN, LINE_FEED);
const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/** CSV with a header row (RFC 4180) and a delimiter of one byte. */
export class CsvDecoder implements Decoder, RecordScanner {
  private readonly reports: DecodeReports;
  private readonly maxRecordBytes: number;
  private readonly fields: readonly FieldPath[];
  private readonly delimiter: number;
  private readonly window = new ChunkWindow(this);
  private readonly utf8 = new Utf8Check();
  private reader: RowReader;
  /** The header row and a line feed: what makes a row a document of its own. */
  private header: Uint8Array = new Uint8Array(0);
  private columns = 0;
  private unknownNames: readonly string[] = [];
  private records = 0;
  private place: number = Place.start;
  private inQuotes = false;
  private line = 1;
  private bytes: Uint8Array = new Uint8Array(0);
  /** Place of `bytes[0]` in the stream. */
  private base = 0;
  private final = false;
  private rowStart = 0;
  /** Place in the stream of the last byte that showed a row to be broken: it may stand in a row behind. */
  private brokenAt = -1;

  constructor(options: DecoderOptions, sink: RecordSink) {
    this.reports = new DecodeReports(sink, options);
    this.maxRecordBytes = options.maxRecordBytes;
    this.fields = options.fields;
    this.delimiter = delimiterByte(options.delimiter ?? ',');
    this.reader = this.headerReader(USUAL_COLUMNS);
  }

  get complete(): boolean {
    return this.reports.complete;
  }

  get unknownFields(): ReadonlyMap<string, number> {
    return new Map(this.records === 0 ? [] : this.unknownNames.map((name) => [name, this.records]));
  }

  push(chunk: Uint8Array): void {
    if (this.place !== Place.stopped) this.window.push(chunk);
  }

  end(): void {
    if (this.place !== Place.stopped) this.window.end();
    this.place = Place.stopped;
  }

  damage(message: string): void {
    this.reports.cutShort = message;
    this.end();
    this.reports.damage(message, new Uint8Array(0));
  }

  currentRaw(): Uint8Array {
    return this.documentOf(this.rowStart, this.reader.rowEnd);
  }

  resumePoint(): ResumePoint {
    return { recordNumber: this.reports.received - 1, offset: this.base + this.rowStart, header: this.header };
  }

  boundary(anyway: boolean): Boundary | undefined {
    const { open } = this.window;
    if (this.place !== Place.rows || (open <= this.brokenAt && !anyway)) return undefined;
    return { end: open, trailer: NOTHING, start: open, header: this.header };
  }

  scan(bytes: Uint8Array, start: number, end: number, final: boolean, base: number): number {
    this.bytes = bytes;
    this.base = base;
    this.final = final;
    this.utf8.startBlock(bytes, start, end, final);
    let at = start;
    while (at < end && this.place !== Place.stopped) {
      const next = this.place < Place.largeRow ? this.readNext(at, end) : this.skipBad(at, end);
      if (next === NEED_MORE) return at;
      at = next;
    }
    if (final && this.place === Place.largeRow && this.inQuotes) this.reports.complete = false;
    return end;
  }

  private readNext(at: number, end: number): number {
    const { bytes } = this;
    if (this.place === Place.start) {
      if (bytes[at] === 0xef && end - at < 3 && !this.final) return NEED_MORE;
      this.place = Place.header;
      if (startsWithMark(bytes.subarray(at, end))) return at + 3;
    }
    if (bytes[at] === LINE_FEED) {
      this.line++;
      return at + 1;
    }
    if (bytes[at] === CARRIAGE_RETURN) {
      if (at + 1 >= end) return this.final ? end : NEED_MORE;
      if (bytes[at + 1] === LINE_FEED) return at + 1;
    }
    return this.readRow(at, end);
  }

  private readRow(at: number, end: number): number {
    const { reader } = this;
    // One byte over the limit is enough to see; a line break of two bytes is no part of the row.
    const limit = Math.min(end, at + this.maxRecordBytes + 2);
    const behind = reader.read(this.bytes, at, limit, this.final && limit === end);
    if (behind === BROKEN) return this.rejectLine(at, end);
    if (behind === NEED_MORE) return limit - at === this.maxRecordBytes + 2 ? this.startLargeRow(at) : this.endInside(at, end);
    if (reader.rowEnd - at > this.maxRecordBytes) return this.startLargeRow(at);
    if (reader.endedWithInput && this.reports.cutShort !== '') return this.stop(at, end, '');
    if (this.place === Place.header) {
      if (reader.cells > reader.slots.kinds.length && reader.cells <= MAX_COLUMNS) {
        this.reader = this.headerReader(reader.cells);
        return at;
      }
      this.takeHeader(at, behind);
    } else {
      this.takeRow(at);
    }
    if (reader.quoted) this.countLines(at, behind);
    else this.line++;
    return behind;
  }

  /** Every column is a field: the cells are names. */
  private headerReader(columns: number): RowReader {
    return new RowReader(
      this.delimiter,
      Int32Array.from({ length: columns }, (_, column) => column),
      columns,
    );
  }

  private takeHeader(at: number, behind: number): void {
    const { reader } = this;
    const row = this.bytes.subarray(at, reader.rowEnd);
    // A mark that is part of the first name would be dropped when the row is decoded again, but for another one before it.
    this.header = new Uint8Array(
      Buffer.concat([startsWithMark(row) ? BYTE_ORDER_MARK : NOTHING, row, row.at(-1) === CARRIAGE_RETURN ? LINE_BREAK : LINE_BREAK.subarray(1)]),
    );
    this.columns = reader.cells;
    const { fieldOfColumn, unknownNames, problem } = readHeader(reader.slots, reader.cells, this.fields);
    if (problem !== '') this.stop(at, behind, problem);
    else if (!this.utf8.isGood(this.bytes, at, behind)) this.stop(at, behind, 'the header is not UTF-8');
    else this.place = Place.rows;
    this.unknownNames = unknownNames;
    this.reader = new RowReader(this.delimiter, fieldOfColumn, this.fields.length);
  }

  private takeRow(at: number): void {
    const { reader } = this;
    this.rowStart = at;
    let problem = '';
    if (reader.cells !== this.columns) problem = `it has ${reader.cells} cells and the header has ${this.columns}`;
    else if (!this.utf8.isGood(this.bytes, at, reader.rowEnd)) problem = 'it is not UTF-8';
    if (problem === '') {
      this.records++;
      this.reports.record(reader.slots);
    } else if (reader.cells < this.columns && reader.endedWithInput) {
      this.stop(at, reader.rowEnd, `${problem}: the input ends inside it`);
    } else {
      this.reports.malformed(this.sentence(at, problem), this.documentOf(at, reader.rowEnd));
    }
  }

  /** The quotes of a row are wrong: only its first line is lost, as the rest may be whole rows (a stray quote runs on to the next one). */
  private rejectLine(at: number, end: number): number {
    const { reader } = this;
    this.brokenAt = Math.max(this.brokenAt, this.base + reader.problemAt);
    const problem = `${reader.problem}, at byte ${this.base + reader.problemAt}`;
    if (this.place === Place.header) return this.stop(at, reader.problemAt + 1, `the header is broken: ${problem}`);
    const stop = this.findLineFeed(at, end);
    if (stop === end && !this.final && end - at <= this.maxRecordBytes) return NEED_MORE;
    if (stop === end && this.final && this.reports.cutShort !== '') return this.stop(at, end, problem);
    const rowEnd = this.bytes[stop - 1] === CARRIAGE_RETURN ? stop - 1 : stop;
    this.reports.malformed(this.sentence(at, problem), this.documentOf(at, rowEnd));
    this.place = Place.badLine;
    return at;
  }

  private startLargeRow(at: number): number {
    const problem = `it is larger than ${this.maxRecordBytes} bytes`;
    if (this.place === Place.header) return this.stop(at, at + this.maxRecordBytes, `the header is too large: ${problem}`);
    this.reports.malformed(this.sentence(at, problem), this.documentOf(at, at + this.maxRecordBytes), 'too_large');
    this.place = Place.largeRow;
    this.inQuotes = false;
    return at;
  }

  /** The bytes end inside a row: where that is the end of the input, in quotes. */
  private endInside(at: number, end: number): number {
    return this.final ? this.stop(at, end, 'a quoted cell is not closed when the input ends') : NEED_MORE;
  }

  /** Goes on behind a row that does not decode, or to the end if it goes on. */
  private skipBad(start: number, end: number): number {
    const { bytes } = this;
    let at = this.place === Place.badLine ? this.findLineFeed(start, end) : start;
    if (this.place === Place.largeRow) {
      for (; at < end; at++) {
        if (bytes[at] === QUOTE) this.inQuotes = !this.inQuotes;
        else if (bytes[at] === LINE_FEED && !this.inQuotes) break;
      }
    }
    this.countLines(start, at);
    if (at < end) this.place = Place.rows;
    return at;
  }

  private stop(at: number, stop: number, problem: string): number {
    this.place = Place.stopped;
    this.reports.damage(this.sentence(at, problem), this.documentOf(at, stop));
    return stop;
  }

  private sentence(at: number, problem: string): string {
    return `The CSV row at byte ${this.base + at} (line ${this.line}) does not decode: ${problem}.`;
  }

  /** The header and one row: a CSV file of its own. */
  private documentOf(start: number, end: number): Uint8Array {
    const row = this.bytes.subarray(start, end);
    return new Uint8Array(Buffer.concat([this.header, row, lineBreakBehind(row)]));
  }

  private countLines(start: number, end: number): void {
    for (let at = this.findLineFeed(start, end); at < end; at = this.findLineFeed(at + 1, end)) this.line++;
  }

  /** Next line break, or `end`. */
  private findLineFeed(start: number, end: number): number {
    const found = this.bytes.indexOf(LINE_FEED, start);
    return found < 0 || found > end ? end : found;
  }
}

/** A carriage return that is data needs a line break behind it, or it would be taken for half of one. */
function lineBreakBehind(row: Uint8Array): Uint8Array {
  return row.at(-1) === CARRIAGE_RETURN ? LINE_BREAK : NOTHING;
}

function startsWithMark(bytes: Uint8Array): boolean {
  return BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte);
}
