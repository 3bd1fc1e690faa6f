import { ChunkWindow, type RecordScanner } from '../chunk-window.ts';
import { DecodeReports } from '../decode-reports.ts';
import type { Boundary, Decoder, DecoderOptions, RecordSink, ResumePoint } from '../decoder.ts';
import { Utf8Check } from '../utf8.ts';
import { CARRIAGE_RETURN, CLOSE_ARRAY, COMMA, isSpace, LINE_FEED, NEED_MORE, OPEN_ARRAY, OPEN_OBJECT } from './bytes.ts';
import { findBraceLine, findLineFeed, skipBlanks, startsWithBraceLine } from './lines.ts';
import { ObjectReader } from './object-reader.ts';
import { RecordSkipper } from './record-skipper.ts';

/** Where in the stream the next byte stands. */
const Place = {
  /** Before the first byte that is no white space: it tells objects from an array. */
  start: 0,
  /** Between objects that follow each other, usually one a line. */
  objects: 1,
  /** In an array, before its first value or its end. */
  arrayStart: 2,
  /** In an array, behind a comma. */
  arrayValue: 3,
  /** In an array, behind a value. */
  arrayNext: 4,
  /** Behind an array: another one may follow. */
  arrayEnd: 5,
  /** In a record that is too large. */
  largeRecord: 6,
  /** In a line that does not decode. */
  badLine: 7,
  /** In an object of several lines that does not decode: it goes on to the next line that starts with a brace. */
  badLines: 8,
  /** Nothing is decoded any more. */
  stopped: 9,
} as const;

/**
 * JSON: objects one a line or following each other in any layout, a single object, or an array of objects (arrays may
 * follow each other too). A record is reported once what follows it cannot make its line malformed.
 */
export class JsonDecoder implements Decoder, RecordScanner {
  private readonly options: DecoderOptions;
  private readonly sink: RecordSink;
  private reports: DecodeReports;
  private readonly maxRecordBytes: number;
  private reader: ObjectReader;
  private readonly skipper = new RecordSkipper();
  private readonly window = new ChunkWindow(this);
  private readonly utf8 = new Utf8Check();
  private place: number = Place.start;
  private inArray = false;
  private line = 1;
  private bytes: Uint8Array = new Uint8Array(0);
  /** Place of `bytes[0]` in the stream. */
  private base = 0;
  private final = false;
  private recordStart = 0;
  private recordEnd = 0;
  /** Place in the stream of the last byte that showed an object to be broken: it may stand in a line behind. */
  private brokenAt = -1;
  /** Of the last comma between values of an array. */
  private commaAt = 0;

  constructor(options: DecoderOptions, sink: RecordSink) {
    this.options = options;
    this.sink = sink;
    this.reports = new DecodeReports(sink, options);
    this.maxRecordBytes = options.maxRecordBytes;
    this.reader = new ObjectReader(options.fields, sink.lane);
  }

  get complete(): boolean {
    return this.reports.complete;
  }

  get unknownFields(): ReadonlyMap<string, number> {
    return this.reader.unknownKeys.counts();
  }

  push(chunk: Uint8Array): void {
    if (this.place !== Place.stopped) this.window.push(chunk);
  }

  end(): void {
    if (this.place !== Place.stopped) this.window.end();
    this.place = Place.stopped;
  }

  restart(firstRecordNumber: number): void {
    const { maxRecordBytes, fields } = this.options;
    this.reports = new DecodeReports(this.sink, { maxRecordBytes, firstRecordNumber });
    if (!this.reader.unknownKeys.restart()) this.reader = new ObjectReader(fields, this.sink.lane);
    this.window.restart();
    this.place = Place.start;
    this.line = 1;
  }

  damage(message: string): void {
    this.reports.cutShort = message;
    this.end();
    this.reports.damage(message, new Uint8Array(0));
  }

  currentRaw(): Uint8Array {
    return this.bytes.subarray(this.recordStart, this.recordEnd);
  }

  resumePoint(): ResumePoint {
    return { recordNumber: this.reports.received - 1, offset: this.base + this.recordStart, header: this.inArray ? ARRAY_START : NOTHING };
  }

  boundary(anyway: boolean): Boundary | undefined {
    const { place } = this;
    const { open } = this.window;
    if (open <= this.brokenAt && !anyway) return undefined;
    if (place === Place.objects) return { end: open, trailer: NOTHING, start: open, header: NOTHING };
    // Before another value: a comma must not end an array, nor begin one.
    if (place === Place.arrayValue) return { end: this.commaAt, trailer: ARRAY_END, start: open, header: ARRAY_START };
    return undefined;
  }

  scan(bytes: Uint8Array, start: number, end: number, final: boolean, base: number): number {
    this.bytes = bytes;
    this.base = base;
    this.final = final;
    this.utf8.startBlock(bytes, start, end, final);
    this.reports.lane?.open(bytes, start, end);
    let at = start;
    while (this.place !== Place.stopped) {
      if (this.place < Place.largeRecord) at = this.skipSpace(at, end);
      if (this.place === Place.objects && at < end) at = this.takeLines(at, end);
      if (at >= end) {
        if (final) this.endOutside(end);
        return end;
      }
      const next = this.place < Place.largeRecord ? this.readNext(at, end) : this.skipBad(at, end);
      if (next === NEED_MORE) return at;
      at = next;
    }
    return end;
  }

  /** Those that are plain, past the reader. */
  private takeLines(at: number, end: number): number {
    const { lane } = this.reports;
    const taken = lane === undefined ? 0 : lane.takeLines(at, this.reports.received);
    if (lane === undefined || taken === 0) return at;
    this.reports.received += taken;
    this.line += taken;
    return this.skipSpace(lane.behind, end);
  }

  private readNext(at: number, end: number): number {
    const byte = this.bytes[at];
    switch (this.place) {
      case Place.start:
        return this.readStart(at, end);
      case Place.objects:
        return byte === OPEN_OBJECT ? this.readObject(at, end) : this.rejectLine(at, end, 'a JSON object was expected');
      case Place.arrayNext:
        if (byte !== COMMA && byte !== CLOSE_ARRAY)
          return this.breakArray(at, at + 1, `a comma or the end of the array was expected at byte ${this.base + at}`);
        this.place = byte === COMMA ? Place.arrayValue : Place.arrayEnd;
        this.commaAt = this.base + at;
        return at + 1;
      case Place.arrayEnd:
        if (byte !== OPEN_ARRAY) return this.breakArray(at, at + 1, `bytes follow its end at byte ${this.base + at}`);
        this.place = Place.arrayStart;
        return at + 1;
      default:
        if (byte !== CLOSE_ARRAY || this.place !== Place.arrayStart) return this.readArrayValue(at, end);
        this.place = Place.arrayEnd;
        return at + 1;
    }
  }

  private readStart(at: number, end: number): number {
    const { bytes } = this;
    if (this.base + at === 0 && bytes[at] === 0xef) {
      // A byte order mark is dropped, as RFC 8259 §8.1 allows.
      if (end - at < 3 && !this.final) return NEED_MORE;
      if (bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) return at + 3;
    }
    this.inArray = bytes[at] === OPEN_ARRAY;
    this.place = this.inArray ? Place.arrayStart : Place.objects;
    return this.inArray ? at + 1 : at;
  }

  /** An object of a stream of objects. */
  private readObject(at: number, end: number): number {
    const { reader } = this;
    const behind = reader.read(this.bytes, at, Math.min(end, at + this.maxRecordBytes));
    if (behind === NEED_MORE) return this.readMore(at, end);
    if (behind < 0) {
      this.brokenAt = Math.max(this.brokenAt, this.base + reader.problemAt);
      return this.rejectObject(at, end, `${reader.problem} at byte ${this.base + reader.problemAt}`);
    }
    const next = skipBlanks(this.bytes, behind, Math.min(end, behind + this.maxRecordBytes));
    if (next >= end && !this.final) return NEED_MORE;
    const closed = next >= end || next - behind === this.maxRecordBytes || this.bytes[next] === LINE_FEED || this.bytes[next] === OPEN_OBJECT;
    if (!closed) this.brokenAt = Math.max(this.brokenAt, this.base + next);
    if (!closed) return this.rejectObject(at, end, `an object or a line break was expected at byte ${this.base + next}`);
    this.report(at, behind);
    return behind;
  }

  private readArrayValue(at: number, end: number): number {
    const { reader } = this;
    const isObject = this.bytes[at] === OPEN_OBJECT;
    const limit = Math.min(end, at + this.maxRecordBytes);
    const behind = isObject ? reader.read(this.bytes, at, limit) : reader.skip(this.bytes, at, limit);
    if (behind === NEED_MORE) return this.readMore(at, end);
    if (behind < 0) return this.breakArray(at, reader.problemAt + 1, `${reader.problem} at byte ${this.base + reader.problemAt}`);
    this.place = Place.arrayNext;
    if (!isObject) reader.flaw = 'a JSON object was expected';
    this.report(at, behind);
    return behind;
  }

  /** The record is longer than what there is of it. */
  private readMore(at: number, end: number): number {
    if (end - at > this.maxRecordBytes) {
      const message = `The record at byte ${this.base + at} (line ${this.line}) is larger than ${this.maxRecordBytes} bytes.`;
      this.reports.malformed(message, this.bytes.subarray(at, end), 'too_large');
      this.skipper.start();
      this.place = Place.largeRecord;
      return at;
    }
    return this.final ? this.endInside(at, end) : NEED_MORE;
  }

  /** A whole value: a record, unless something in it is wrong. */
  private report(at: number, behind: number): void {
    const { reader } = this;
    if (!this.utf8.isGood(this.bytes, at, behind)) reader.flaw = 'it is not UTF-8';
    if (reader.flaw === '') {
      reader.unknownKeys.recordIsWhole();
      this.recordStart = at;
      this.recordEnd = behind;
      this.reports.record(reader.slots);
    } else {
      this.reportMalformed(at, behind, reader.flaw);
    }
    this.line += reader.lineBreaks;
  }

  /**
   * An object whose grammar is broken. Usually it is one line (cut, say, and run into the next): only that line is lost.
   * An object laid out over several lines, its brace alone on the first, is lost up to the next line that starts with one.
   */
  private rejectObject(at: number, end: number, problem: string): number {
    if (!startsWithBraceLine(this.bytes, at, end)) return this.rejectLine(at, end, problem);
    const stop = findBraceLine(this.bytes, at, end);
    return this.reject(at, end, stop, Place.badLines, problem);
  }

  private rejectLine(at: number, end: number, problem: string): number {
    return this.reject(at, end, findLineFeed(this.bytes, at, end), Place.badLine, problem);
  }

  private reject(at: number, end: number, stop: number, place: number, problem: string): number {
    if (stop === end && !this.final && end - at <= this.maxRecordBytes) return NEED_MORE;
    if (stop === end && this.final && this.reports.cutShort !== '') return this.stop(at, end, problem);
    this.reportMalformed(at, stop, problem);
    this.place = place;
    return at;
  }

  /** Goes on behind what does not decode, or to the end if it goes on. */
  private skipBad(at: number, end: number): number {
    if (this.place === Place.largeRecord) return this.skipLarge(at, end);
    let stop = this.place === Place.badLine ? findLineFeed(this.bytes, at, end) : findBraceLine(this.bytes, at, end);
    if (stop < end) {
      this.place = Place.objects;
    } else if (this.place === Place.badLines && !this.final && this.bytes[end - 1] === LINE_FEED) {
      // The brace behind this line break may be still to come.
      if (at === end - 1) return NEED_MORE;
      stop = end - 1;
    }
    this.countLines(at, stop);
    return stop;
  }

  private skipLarge(start: number, end: number): number {
    const { skipper } = this;
    const at = skipper.skip(this.bytes, start, end);
    this.countLines(start, at);
    if (skipper.state === 'inside') return end;
    if (this.inArray) {
      if (skipper.state === 'broken') return this.breakArray(at, at + 1, `a value cannot go on like this at byte ${this.base + at}`);
      this.place = Place.arrayNext;
    } else {
      this.brokenAt = Math.max(this.brokenAt, this.base + at);
      this.place = skipper.state === 'broken' && this.bytes[at] !== OPEN_OBJECT ? Place.badLine : Place.objects;
    }
    return at;
  }

  /** The stream ends inside a record. */
  private endInside(at: number, end: number): number {
    const problem = 'the input ends inside a record';
    if (this.inArray) return this.breakArray(at, end, problem);
    // A cut line that lines follow is one malformed line.
    if (findLineFeed(this.bytes, at, end) < end && !startsWithBraceLine(this.bytes, at, end)) return this.rejectLine(at, end, problem);
    return this.stop(at, end, problem);
  }

  /** The stream ends where no record is held. */
  private endOutside(end: number): void {
    const open = this.place === Place.arrayStart || this.place === Place.arrayValue || this.place === Place.arrayNext;
    if (open) this.breakArray(end, end, 'it is not closed when the input ends');
    else if (this.place === Place.largeRecord) this.reports.complete = false;
  }

  private breakArray(at: number, stop: number, problem: string): number {
    return this.stop(at, stop, `the array is broken here: ${problem}`);
  }

  private stop(at: number, stop: number, problem: string): number {
    this.place = Place.stopped;
    this.reports.damage(this.sentence(at, problem), this.bytes.subarray(at, stop));
    return stop;
  }

  private reportMalformed(at: number, stop: number, problem: string): void {
    const end = stop > at && this.bytes[stop - 1] === CARRIAGE_RETURN ? stop - 1 : stop;
    this.reports.malformed(this.sentence(at, problem), this.bytes.subarray(at, end));
  }

  private sentence(at: number, problem: string): string {
    return `The JSON at byte ${this.base + at} (line ${this.line}) does not decode: ${problem}.`;
  }

  private countLines(start: number, end: number): void {
    for (let at = findLineFeed(this.bytes, start, end); at < end; at = findLineFeed(this.bytes, at + 1, end)) this.line++;
  }

  private skipSpace(start: number, end: number): number {
    const { bytes } = this;
    let at = start;
    while (at < end) {
      const byte = bytes[at] as number;
      if (!isSpace(byte)) break;
      if (byte === LINE_FEED) this.line++;
      at++;
    }
    return at;
  }
}

const NOTHING = new Uint8Array(0);
const ARRAY_START = Uint8Array.of(OPEN_ARRAY);
const ARRAY_END = Uint8Array.of(CLOSE_ARRAY);
