import { compileContract } from '../../contracts/compile-contract.ts';
import type { Contract } from '../../contracts/contract.ts';
import type { Encoding } from '../../domain/feeds.ts';
import { ContainerRecords } from '../../encodings/avro/container-record.ts';
import { createDecoder } from '../../encodings/create-decoder.ts';
import type { Decoder, MalformedRecord } from '../../encodings/decoder.ts';
import { type RecordSlots, ValueKind } from '../../encodings/record-slots.ts';
import type { Message } from '../../sources/kafka/topic-sender.ts';

/** What the cells of a CSV message are: the contract's fields in its order, or the columns of the file in theirs. */
export const MESSAGE_COLUMNS = ['contract', 'file'] as const;
export type MessageColumns = (typeof MESSAGE_COLUMNS)[number];

export interface MessageOptions {
  readonly contract: Contract;
  readonly encoding: Encoding;
  /** Between the cells of the file; messages have commas where they are in the contract's order. */
  readonly delimiter: string;
  readonly columns: MessageColumns;
  readonly maxRecordBytes: number;
}

/** A record that waits for its message. */
export type WaitingRecord = Message & {
  /** Avro alone: what the record was written with. `value` is the record without a frame. */
  readonly schema?: string;
};

/**
 * Makes of each record of a stream one message, as it came: a JSON object, a row of CSV without its header, an Avro record without
 * its container. What does not decode is passed on too, where it can stand by itself, for the receiver to refuse; of Avro it cannot.
 */
export class MessageWriter {
  readonly decoder: Decoder;
  /** Records that cannot become a message. */
  leftOut = 0;
  private readonly options: MessageOptions;
  private readonly userSlot: number;
  private readonly containers = new ContainerRecords();
  private waiting: WaitingRecord[] = [];

  constructor(options: MessageOptions) {
    this.options = options;
    const { contract, encoding, delimiter, maxRecordBytes } = options;
    const { paths } = compileContract(contract, { nullSpellings: [''], timeZone: 'UTC' });
    const user = contract.fields.findIndex(({ column }) => column === 'user_id');
    const isRebuilt = encoding === 'csv' && options.columns === 'contract';
    this.userSlot = isRebuilt || user < 0 ? user : 0;
    const fields = isRebuilt ? paths : user < 0 ? [] : paths.slice(user, user + 1);
    this.decoder = createDecoder(
      { encoding, fields, maxRecordBytes, delimiter },
      { record: (slots) => this.take(slots), malformed: (problem) => this.passOn(problem) },
    );
  }

  /** Those of the bytes that were pushed since the last call. */
  takeWaiting(): WaitingRecord[] {
    const { waiting } = this;
    this.waiting = [];
    return waiting;
  }

  private take(slots: RecordSlots): void {
    this.waiting.push({ key: this.keyOf(slots), ...this.valueOf(slots) });
  }

  private valueOf(slots: RecordSlots): Pick<WaitingRecord, 'value' | 'schema'> {
    const { encoding, columns } = this.options;
    if (encoding === 'csv' && columns === 'contract') return { value: rowOf(slots) };
    const raw = this.decoder.currentRaw();
    if (encoding === 'csv') return { value: Buffer.from(this.withoutHeader(raw)) };
    if (encoding === 'json') return { value: Buffer.from(raw) };
    const { schema, record } = this.containers.take(raw);
    return { value: Buffer.from(record), schema };
  }

  private passOn({ raw }: MalformedRecord): void {
    if (this.options.encoding === 'avro' || raw.length === 0) this.leftOut++;
    else this.waiting.push({ key: undefined, value: Buffer.from(this.options.encoding === 'csv' ? this.withoutHeader(raw) : raw) });
  }

  /** Of the document that a row is kept as. */
  private withoutHeader(document: Uint8Array): Uint8Array {
    const { header } = this.decoder.resumePoint();
    return Buffer.from(document.buffer, document.byteOffset, header.length).equals(header) ? document.subarray(header.length) : document;
  }

  private keyOf(slots: RecordSlots): Buffer | undefined {
    const { userSlot } = this;
    if (userSlot < 0 || !VALUES.has(slots.kinds[userSlot] as number)) return undefined;
    const text = (slots.buffers[userSlot] as Uint8Array).subarray(slots.starts[userSlot], slots.ends[userSlot]);
    return text.length === 0 ? undefined : Buffer.from(text);
  }
}

const VALUES: ReadonlySet<number> = new Set([ValueKind.text, ValueKind.number, ValueKind.micros, ValueKind.boolean]);

function rowOf({ kinds, buffers, starts, ends }: RecordSlots): Buffer {
  const cells = Array.from(kinds, (kind, field) => (VALUES.has(kind) ? cellOf((buffers[field] as Uint8Array).subarray(starts[field], ends[field])) : ''));
  return Buffer.from(cells.join(','));
}

function cellOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
