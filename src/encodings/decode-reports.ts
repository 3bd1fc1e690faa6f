import type { DecoderOptions, MalformedRecord, RecordLane, RecordSink } from './decoder.ts';
import type { RecordSlots } from './record-slots.ts';

/** What a decoder tells its sink: numbers the records, bounds what is kept of malformed ones, reports one damage at most. */
export class DecodeReports {
  /** False once the container is cut or damaged. */
  complete = true;
  /** Why the bytes end early, where the caller said so: what is open at their end is part of that damage. */
  cutShort = '';
  private readonly sink: RecordSink;
  private readonly maxRecordBytes: number;
  /** Number of the next record. */
  received: number;
  private damaged = false;

  constructor(sink: RecordSink, { maxRecordBytes, firstRecordNumber = 0 }: Pick<DecoderOptions, 'maxRecordBytes' | 'firstRecordNumber'>) {
    this.sink = sink;
    this.maxRecordBytes = maxRecordBytes;
    this.received = firstRecordNumber;
  }

  get lane(): RecordLane | undefined {
    return this.sink.lane;
  }

  record(slots: RecordSlots): void {
    slots.recordNumber = this.received++;
    this.sink.record(slots);
  }

  malformed(message: string, raw: Uint8Array, code: MalformedRecord['code'] = 'malformed'): void {
    this.sink.malformed({ code, recordNumber: this.received++, message, raw: raw.slice(0, this.maxRecordBytes) });
  }

  /** The container cannot be read any further. */
  damage(message: string, raw: Uint8Array): void {
    this.complete = false;
    if (this.damaged) return;
    this.damaged = true;
    this.malformed(this.cutShort || message, raw);
  }
}
