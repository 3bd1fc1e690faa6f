import { isUtf8 } from 'node:buffer';
import type { RecordSink, ResumePoint } from '../decoder.ts';
import { MessageReports } from '../message-reports.ts';
import type { JsonMessageOptions, MessageDecoder } from '../messages.ts';
import { isSpace, NEED_MORE, OPEN_OBJECT } from './bytes.ts';
import { ObjectReader } from './object-reader.ts';

/** A JSON object a message, in any layout. */
export class JsonMessageDecoder implements MessageDecoder {
  private readonly reports: MessageReports;
  private readonly reader: ObjectReader;
  private recordStart = 0;
  private recordEnd = 0;

  constructor({ fields, maxRecordBytes }: JsonMessageOptions, sink: RecordSink) {
    this.reports = new MessageReports(sink, maxRecordBytes);
    this.reader = new ObjectReader(fields, sink.lane);
  }

  get unknownFields(): ReadonlyMap<string, number> {
    return this.reader.unknownKeys.counts();
  }

  async prepare(): Promise<void> {}

  push(value: Uint8Array, recordNumber: number): void {
    const { reports, reader } = this;
    if (!reports.start(value, recordNumber)) return;
    const { bytes } = reports;
    const end = endOfText(bytes);
    if (this.takeObject(bytes, end)) return;
    const start = startOfText(bytes, end);
    const behind = start < end && bytes[start] === OPEN_OBJECT ? reader.read(bytes, start, end) : start;
    const problem = this.problemOf(bytes, start, behind, end);
    if (problem !== '') {
      reports.malformed(`The JSON message does not decode: ${problem}.`);
      return;
    }
    reader.unknownKeys.recordIsWhole();
    this.recordStart = start;
    this.recordEnd = behind;
    reports.record(reader.slots);
  }

  currentRaw(): Uint8Array {
    return this.reports.bytes.subarray(this.recordStart, this.recordEnd);
  }

  resumePoint(): ResumePoint {
    return this.reports.resumePoint();
  }

  /** Whether the lane took it. */
  private takeObject(bytes: Uint8Array, end: number): boolean {
    const { lane, recordNumber } = this.reports;
    if (lane === undefined || bytes[0] !== OPEN_OBJECT) return false;
    lane.open(bytes, 0, end);
    return lane.takeObject(0, recordNumber);
  }

  /** What is wrong with the message, or nothing. */
  private problemOf(bytes: Uint8Array, start: number, behind: number, end: number): string {
    const { reader } = this;
    if (start === end) return 'it is empty';
    if (behind === start) return 'a JSON object was expected';
    if (behind === NEED_MORE) return 'it ends inside the object';
    if (behind < 0) return `${reader.problem} at byte ${reader.problemAt}`;
    if (behind < end) return `something follows the object at byte ${behind}`;
    return isUtf8(bytes) ? reader.flaw : 'it is not UTF-8';
  }
}

/** Behind a byte order mark and white space. */
function startOfText(bytes: Uint8Array, end: number): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < end && isSpace(bytes[at] as number)) at++;
  return Math.min(at, end);
}

/** Before the white space at its end. */
function endOfText(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1] as number)) end--;
  return end;
}
