import { DecodeReports } from './decode-reports.ts';
import type { MalformedRecord, RecordLane, RecordSink, ResumePoint } from './decoder.ts';
import type { RecordSlots } from './record-slots.ts';

const NOTHING = new Uint8Array(0);

/** What a decoder of messages tells its sink: one thing for each message, by the message's own number. */
export class MessageReports {
  /** The message at hand. */
  bytes: Uint8Array = NOTHING;
  private readonly reports: DecodeReports;
  private readonly maxRecordBytes: number;

  constructor(sink: RecordSink, maxRecordBytes: number) {
    this.reports = new DecodeReports(sink, { maxRecordBytes });
    this.maxRecordBytes = maxRecordBytes;
  }

  get lane(): RecordLane | undefined {
    return this.reports.lane;
  }

  get recordNumber(): number {
    return this.reports.received;
  }

  /** False where the message is too large, which is then reported. */
  start(value: Uint8Array, recordNumber: number): boolean {
    // A Buffer and a Uint8Array are two shapes to the compiler: the readers only ever see one.
    this.bytes = value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    this.reports.received = recordNumber;
    if (value.length <= this.maxRecordBytes) return true;
    this.malformed(`The message is larger than ${this.maxRecordBytes} bytes.`, 'too_large');
    return false;
  }

  record(slots: RecordSlots): void {
    this.reports.record(slots);
  }

  malformed(message: string, code: MalformedRecord['code'] = 'malformed', raw: Uint8Array = this.bytes): void {
    this.reports.malformed(message, raw, code);
  }

  /** A message stands by itself: its place is its number. */
  resumePoint(): ResumePoint {
    const recordNumber = this.reports.received - 1;
    return { recordNumber, offset: recordNumber, header: NOTHING };
  }
}
