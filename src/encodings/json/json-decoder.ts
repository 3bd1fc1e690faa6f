import { ChunkWindow, type RecordScanner } from '../chunk-window.ts';
import type { Decoder, DecoderOptions, MalformedRecord, RecordSink } from '../decoder.ts';
import { Utf8Check } from '../utf8.ts';
import { CARRIAGE_RETURN, CLOSE_ARRAY, COMMA, isSpace, LINE_FEED, NEED_MORE, OPEN_ARRAY, OPEN_OBJECT } from './bytes.ts';
import { ObjectReader } from './object-reader.ts';
import { ObjectSkipper } from './object-skipper.ts';

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
  largeObject: 6,
  /** In a line that is malformed, or behind what was too large. */
  badLine: 7,
  /** In a malformed object of several lines: goes on to the next line that starts with a brace. */
  badLines: 8,
  /** Nothing is decoded any more. */
  stopped: 9,
} as const;

/** JSON: objects one a line or following each other in any layout, a single object, or an array of objects. */
export class JsonDecoder implements Decoder, RecordScanner {
  complete = true;
  private readonly sink: RecordSink;
  private readonly maxRecordBytes: number;
  private readonly reader: ObjectReader;
  private readonly skipper = new ObjectSkipper();
  private readonly window = new ChunkWindow(this);
  private readonly utf8 = new Utf8Check();
  private place: number = Place.start;
  private inArray = false;
  private recordNumber = 0;
  private line = 1;
  private base = 0;
  private final = false;
  private bytes: Uint8Array = new Uint8Array(0);
  private recordStart = 0;
  private recordEnd = 0;
  private damageMessage = '';

  constructor(options: DecoderOptions, sink: RecordSink) {
    this.sink = sink;
    this.maxRecordBytes = options.maxRecordBytes;
    this.reader = new ObjectReader(options.fields);
  }

  get unknownFields(): ReadonlyMap<string, number> {
    return this.reader.unknownKeys.counts();
  }

  push(chunk: Uint8Array): void {
    if (this.place !== Place.stopped) this.window.push(chunk);
  }

  end(): void {
    if (this.place === Place.stopped) return;
    this.window.end();
    this.place = Place.stopped;
  }

  damage(message: string): void {
    if (!this.complete || this.damageMessage !== '') return;
    this.damageMessage = message;
    if (this.place !== Place.stopped) this.window.end();
    if (this.complete) this.reportDamage(message, new Uint8Array(0));
  }

  currentRaw(): Uint8Array {
    return this.bytes.subarray(this.recordStart, this.recordEnd);
  }

  scan(bytes: Uint8Array, start: number, end: number, final: boolean, base: number): number {
    this.bytes = bytes;
    this.base = base;
    this.final = final;
    this.utf8.startBlock(bytes, start, end, final);
    let at = start;
    for (;;) {
      if (this.place === Place.stopped) return end;
      if (this.place >= Place.largeObject) {
        at = this.skipBad(at, end);
        if (this.place >= Place.largeObject) return at;
      }
      at = this.skipSpace(at, end);
      if (at >= end) {
        if (final) this.endOutside(end);
        return end;
      }
      const next = this.step(at, end);
      if (next === NEED_MORE) return at;
      at = next;
    }
  }

  /** Reads what starts at `at`, which is no white space; NEED_MORE where it is not finished and more may come. */
  private step(at: number, end: number): number {
    const byte = this.bytes[at];
    switch (this.place) {
      case Place.start:
        if (this.base + at === 0 && byte === 0xef && !this.final && end - at < 3) return NEED_MORE;
        if (this.base + at === 0 && byte === 0xef && this.bytes[at + 1] === 0xbb && this.bytes[at + 2] === 0xbf) return at + 3;
        this.place = byte === OPEN_ARRAY ? Place.arrayStart : Place.objects;
        this.inArray = byte === OPEN_ARRAY;
        return this.inArray ? at + 1 : at;
      case Place.objects:
        return byte === OPEN_OBJECT ? this.readObject(at, end) : this.rejectLine(at, end, 'a JSON object was expected');
      case Place.arrayEnd:
        if (byte !== OPEN_ARRAY) return this.breakArray(at, at + 1, 'Bytes follow the end of the JSON array');
        this.place = Place.arrayStart;
        return at + 1;
      case Place.arrayNext:
        if (byte === COMMA) this.place = Place.arrayValue;
        else if (byte === CLOSE_ARRAY) this.place = Place.arrayEnd;
        else return this.breakArray(at, at + 1, 'A comma or the end of the JSON array was expected');
        return at + 1;
      case Place.arrayStart:
        if (byte === CLOSE_ARRAY) {
          this.place = Place.arrayEnd;
          return at + 1;
        }
    }
    return this.readArrayValue(at, end);
  }

  /** An object of a stream of objects. */
  private readObject(at: number, end: number): number {
    const limit = Math.min(end, at + this.maxRecordBytes);
    const { reader } = this;
    const behind = reader.read(this.bytes, at, limit);
    if (behind >= 0) {
      const next = this.skipBlanks(behind, Math.min(end, behind + this.maxRecordBytes));
      if (next >= end && !this.final) return NEED_MORE;
      if (next >= end || next - behind === this.maxRecordBytes || this.bytes[next] === LINE_FEED || this.bytes[next] === OPEN_OBJECT) {
        this.report(at, behind);
        return behind;
      }
      return this.rejectLine(at, end, `an object or a line break was expected at byte ${this.base + next}`);
    }
    if (behind !== NEED_MORE) return this.reject(at, end, `${reader.problem} at byte ${this.base + reader.problemAt}`);
    if (end - at > this.maxRecordBytes) return this.startLargeObject(at);
    if (!this.final) return NEED_MORE;
    return this.endInside(at, end);
  }

  private readArrayValue(at: number, end: number): number {
    const limit = Math.min(end, at + this.maxRecordBytes);
    const { reader } = this;
    const isObject = this.bytes[at] === OPEN_OBJECT;
    const behind = isObject ? reader.read(this.bytes, at, limit) : reader.skip(this.bytes, at, limit);
    if (behind >= 0) {
      this.place = Place.arrayNext;
      if (isObject) this.report(at, behind);
      else this.reportMalformed(at, behind, 'a JSON object was expected');
      return behind;
    }
    if (behind !== NEED_MORE) return this.breakArray(at, reader.problemAt + 1, `The JSON array is broken: ${reader.problem}`, reader.problemAt);
    if (end - at > this.maxRecordBytes) return this.startLargeObject(at);
    if (!this.final) return NEED_MORE;
    return this.endInside(at, end);
  }

  /** A whole object: a record, unless something in it is wrong. */
  private report(at: number, behind: number): void {
    const { reader } = this;
    this.line += reader.lineBreaks;
    if (!this.utf8.isGood(this.bytes, at, behind)) reader.flaw = 'it is not UTF-8';
    if (reader.flaw !== '') {
      this.line -= reader.lineBreaks;
      this.reportMalformed(at, behind, reader.flaw);
      this.line += reader.lineBreaks;
      return;
    }
    reader.unknownKeys.recordIsWhole();
    this.recordStart = at;
    this.recordEnd = behind;
    reader.slots.recordNumber = this.recordNumber++;
    this.sink.record(reader.slots);
  }

  /**
   * An object whose grammar is broken. Usually it is one line (cut, say, and run into the next): only that line is lost.
   * An object laid out over several lines, its brace alone on the first, is lost up to the next line that starts with one.
   */
  private reject(at: number, end: number, problem: string): number {
    const firstBreak = this.bytes.indexOf(LINE_FEED, at);
    if (firstBreak < 0 || firstBreak >= end || this.skipBlanks(at + 1, firstBreak) < firstBreak) return this.rejectLine(at, end, problem);
    let lineBreak = firstBreak;
    while (lineBreak >= 0 && lineBreak < end && this.bytes[lineBreak + 1] !== OPEN_OBJECT) lineBreak = this.bytes.indexOf(LINE_FEED, lineBreak + 1);
    const found = lineBreak >= 0 && lineBreak + 1 < end;
    if (!found && !this.final && end - at <= this.maxRecordBytes) return NEED_MORE;
    return this.rejectTo(at, found ? lineBreak : end, found, Place.badLines, problem);
  }

  private rejectLine(at: number, end: number, problem: string): number {
    const lineBreak = this.bytes.indexOf(LINE_FEED, at);
    const found = lineBreak >= 0 && lineBreak < end;
    if (!found && !this.final && end - at <= this.maxRecordBytes) return NEED_MORE;
    return this.rejectTo(at, found ? lineBreak : end, found, Place.badLine, problem);
  }

  private rejectTo(at: number, stop: number, found: boolean, place: number, problem: string): number {
    this.reportMalformed(at, stop, problem);
    if (found && stop - at <= this.maxRecordBytes) {
      for (let i = at; i < stop; i++) if (this.bytes[i] === LINE_FEED) this.line++;
      return stop;
    }
    this.place = place;
    return at;
  }

  /** A record is longer than the limit: says so, and walks on to its end without holding it. */
  private startLargeObject(at: number): number {
    const { recordNumber, line, base, maxRecordBytes } = this;
    const message = `The record at byte ${base + at} (line ${line}) is larger than ${maxRecordBytes} bytes.`;
    this.recordNumber++;
    this.skipper.start();
    this.place = Place.largeObject;
    this.sink.malformed({ code: 'too_large', recordNumber, message, raw: this.bytes.slice(at, at + maxRecordBytes) });
    return at;
  }

  /** Goes on behind what does not decode; the place tells whether its end was found. */
  private skipBad(start: number, end: number): number {
    let at = start;
    if (this.place === Place.largeObject) {
      at = this.skipper.skip(this.bytes, at, end);
      this.line += this.skipper.takeLineBreaks();
      if (this.skipper.state === 'inside') {
        if (this.final) this.complete = false;
        return end;
      }
      if (this.inArray) {
        if (this.skipper.state === 'ended') this.place = Place.arrayNext;
        else this.stop();
        return at;
      }
      this.place = this.skipper.state === 'broken' ? Place.badLine : Place.objects;
      if (this.place === Place.objects) return at;
    }
    for (;;) {
      const lineBreak = this.bytes.indexOf(LINE_FEED, at);
      if (lineBreak < 0 || lineBreak >= end) return end;
      if (this.place === Place.badLine || this.bytes[lineBreak + 1] === OPEN_OBJECT) {
        // The byte behind the line break may not have come yet.
        if (this.place === Place.badLines && lineBreak + 1 >= end) return lineBreak;
        this.place = Place.objects;
        return lineBreak;
      }
      if (lineBreak + 1 >= end && !this.final) return lineBreak;
      this.line++;
      at = lineBreak + 1;
    }
  }

  /** The stream ends inside a record. */
  private endInside(at: number, end: number): number {
    if (this.inArray) return this.breakArray(at, end, 'The JSON array is not closed: the input ends inside a record');
    const problem = 'the input ends inside it';
    const lineBreak = this.bytes.indexOf(LINE_FEED, at);
    // A cut line that lines follow is one malformed line.
    if (lineBreak >= 0 && lineBreak < end && this.skipBlanks(at + 1, lineBreak) < lineBreak) return this.rejectLine(at, end, problem);
    this.complete = false;
    if (this.damageMessage !== '') this.reportDamage(this.damageMessage, this.cut(at, end));
    else this.reportMalformed(at, end, problem);
    return end;
  }

  /** The stream ends between records. */
  private endOutside(end: number): void {
    const inArray = this.place === Place.arrayStart || this.place === Place.arrayValue || this.place === Place.arrayNext;
    if (inArray && this.complete) this.breakArray(end, end, 'The JSON array is not closed');
  }

  private breakArray(at: number, stop: number, message: string, place = at): number {
    this.reportDamage(this.damageMessage || `${message} (byte ${this.base + place}, line ${this.line}).`, this.cut(at, stop));
    return stop;
  }

  private reportDamage(message: string, raw: Uint8Array): void {
    this.stop();
    this.sink.malformed({ code: 'malformed', recordNumber: this.recordNumber++, message, raw });
  }

  private stop(): void {
    this.complete = false;
    this.place = Place.stopped;
  }

  private reportMalformed(at: number, stop: number, problem: string): void {
    const message = `The JSON record at byte ${this.base + at} (line ${this.line}) does not decode: ${problem}.`;
    const problemRecord: MalformedRecord = { code: 'malformed', recordNumber: this.recordNumber++, message, raw: this.cut(at, stop) };
    this.sink.malformed(problemRecord);
  }

  private cut(at: number, stop: number): Uint8Array {
    const end = stop > at && this.bytes[stop - 1] === CARRIAGE_RETURN ? stop - 1 : stop;
    return this.bytes.slice(at, Math.min(end, at + this.maxRecordBytes));
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

  /** White space within a line. */
  private skipBlanks(start: number, end: number): number {
    const { bytes } = this;
    let at = start;
    while (at < end && bytes[at] !== LINE_FEED && isSpace(bytes[at] as number)) at++;
    return at;
  }
}
