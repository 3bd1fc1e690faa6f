import { createDecoder } from '../../src/encodings/create-decoder.ts';
import type { Decoder, DecoderOptions, FieldPath } from '../../src/encodings/decoder.ts';
import { openDecompressed } from '../../src/encodings/open-stream.ts';
import { type RecordSlots, ValueKind } from '../../src/encodings/record-slots.ts';

/** A field's value as a test reads it: its kind and text, apart from `absent`, which is left out. */
export type SeenValue = readonly [kind: keyof typeof ValueKind, text: string];
export type SeenRecord = Readonly<Record<string, SeenValue>>;

export interface Seen {
  /** In order: records, and the codes of what does not decode. */
  readonly outcomes: readonly (SeenRecord | string)[];
  readonly records: readonly SeenRecord[];
  readonly malformed: readonly {
    readonly code: string;
    readonly message: string;
    readonly raw: string;
    readonly rawBytes: Uint8Array;
    readonly recordNumber: number;
  }[];
  readonly raws: readonly Uint8Array[];
  readonly complete: boolean;
  readonly unknownFields: Readonly<Record<string, number>>;
}

export const FIELDS = ['id', 'user', 'auction.user_id', 'auction.amount', 'price', 'won'] as const;

export function optionsFor(encoding: DecoderOptions['encoding'], more: Partial<DecoderOptions> = {}): DecoderOptions {
  return { encoding, fields: FIELDS.map((name) => ({ paths: [name.split('.')] })), maxRecordBytes: 1 << 20, ...more };
}

const KIND_NAMES = Object.keys(ValueKind) as (keyof typeof ValueKind)[];

/** Collects what a decoder reports, and holds it to the promises of its port. */
export class Collector {
  readonly decoder: Decoder;
  private outcomes: (SeenRecord | string)[] = [];
  private records: SeenRecord[] = [];
  private raws: Uint8Array[] = [];
  private malformed: Seen['malformed'][number][] = [];

  constructor(options: DecoderOptions) {
    this.decoder = createDecoder(options, {
      record: (slots) => {
        this.expectNext(slots.recordNumber);
        const record = readSlots(slots, options.fields);
        this.outcomes.push(record);
        this.records.push(record);
        this.raws.push(new Uint8Array(this.decoder.currentRaw()));
      },
      malformed: ({ code, recordNumber, message, raw }) => {
        this.expectNext(recordNumber);
        if (raw.length > options.maxRecordBytes) throw new Error(`kept ${raw.length} bytes of a malformed record`);
        this.outcomes.push(code);
        this.malformed.push({ code, recordNumber, message, raw: Buffer.from(raw).toString(), rawBytes: raw });
      },
    });
  }

  get seen(): Seen {
    const { outcomes, records, malformed, raws } = this;
    return { outcomes, records, malformed, raws, complete: this.decoder.complete, unknownFields: Object.fromEntries(this.decoder.unknownFields) };
  }

  /** What was seen is forgotten, by the decoder as well. */
  restart(): void {
    this.outcomes = [];
    this.records = [];
    this.raws = [];
    this.malformed = [];
    this.decoder.restart?.(0);
  }

  private expectNext(recordNumber: number): void {
    if (recordNumber !== this.outcomes.length) throw new Error(`record ${recordNumber} came as number ${this.outcomes.length}`);
  }
}

/** What a sink sees of a record. */
export function readSlots(slots: RecordSlots, fields: readonly FieldPath[]): SeenRecord {
  const record: Record<string, SeenValue> = {};
  for (const [field, { paths }] of fields.entries()) {
    const kind = KIND_NAMES[slots.kinds[field] as number] as keyof typeof ValueKind;
    if (kind === 'absent') continue;
    const hasText = kind === 'text' || kind === 'number' || kind === 'boolean' || kind === 'micros';
    const bytes = (slots.buffers[field] as Uint8Array).subarray(slots.starts[field], slots.ends[field]);
    record[paths[0]?.join('.') ?? ''] = [kind, hasText ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) : ''];
  }
  return record;
}

/** Pushes the bytes cut at the given places (ends included or not, in any order); `damage`: they end early, and why. */
export function decodeAll(options: DecoderOptions, input: Uint8Array | string, cuts: readonly number[] = [], damage?: string): Seen {
  return decodeWith(new Collector(options), input, cuts, damage);
}

/** The same, by a decoder that has decoded another input before. */
export function decodeAfter(options: DecoderOptions, before: Uint8Array, input: Uint8Array, cuts: readonly number[]): Seen {
  const collector = new Collector(options);
  decodeWith(collector, before, cuts);
  collector.restart();
  return decodeWith(collector, input, cuts);
}

function decodeWith(collector: Collector, input: Uint8Array | string, cuts: readonly number[], damage?: string): Seen {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  let at = 0;
  for (const cut of [...cuts].map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b)) {
    // A chunk is a buffer of its own: a decoder that keeps a view of the last one is found out by what overwrites it.
    pushAndOverwrite(collector.decoder, bytes.subarray(at, cut));
    at = cut;
  }
  pushAndOverwrite(collector.decoder, bytes.subarray(at));
  if (damage !== undefined) collector.decoder.damage(damage);
  collector.decoder.end();
  // Nothing is decoded after the end.
  collector.decoder.push(Buffer.from('{"id":1}'));
  collector.decoder.end();
  return collector.seen;
}

/** The way a file goes: decompressed, pushed, damage passed on. */
export async function decodeStream(options: DecoderOptions, input: Uint8Array, name: string, chunkBytes: number, canReopen: boolean): Promise<Seen> {
  const open = () => inChunks(input, chunkBytes);
  const collector = new Collector(options);
  for await (const part of openDecompressed(open(), name, canReopen ? open : undefined)) {
    if (part instanceof Uint8Array) collector.decoder.push(part);
    else collector.decoder.damage(part.damage);
  }
  collector.decoder.end();
  return collector.seen;
}

/** A chunk is good until the next one is asked for. */
export async function* inChunks(input: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(chunkBytes, input.length));
  for (let at = 0; at < input.length; at += chunkBytes) {
    const part = input.subarray(at, at + chunkBytes);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}

function pushAndOverwrite(decoder: Decoder, part: Uint8Array): void {
  const chunk = new Uint8Array(part);
  decoder.push(chunk);
  chunk.fill(0x5a);
}
