import { isbot } from 'isbot';
import type { EventLagTally } from '../../domain/event-lag.ts';
import type { EventType, Feed } from '../../domain/feeds.ts';
import { createReportDate, FUTURE_ALLOWANCE_MICROS } from '../../domain/timestamp.ts';
import type { AvroProgram, UnknownFieldCount } from '../../encodings/decoder.ts';
import type { RowSegment } from '../../staging/column-builder.ts';
import { stagedEventTable } from '../../staging/staged-tables.ts';
import { RateTable } from '../currency-rates.ts';
import { type Kernel, KernelMemory, startKernel } from './kernel-memory.ts';
import type { KeyNodes } from './key-nodes.ts';
import type { LaneOptions } from './lane-options.ts';
import { LaneSegment } from './lane-segment.ts';
import * as layout from './layout.ts';
import { writeSetup } from './write-setup.ts';

/** Feeds whose records are all of one type: those that come in volume. */
const LANE_TYPES: Readonly<Partial<Record<Feed, EventType>>> = { 'ad-impressions': 'impression', 'bid-requests': 'bid_request' };

/** Undefined for feeds that have no fast lane. */
export function openFastLane(options: LaneOptions): FastLane | undefined {
  const eventType = LANE_TYPES[options.contract.feed];
  return eventType === undefined ? undefined : new FastLane(eventType, options);
}

/** More memory than this is given back once what needed it is written. Bytes. */
const KEPT_MEMORY = 134_217_728;
/** Of writers' schemas; messages may go back and forth between a few. */
const KEPT_PROGRAMS = 64;
/** A quarter of an hour: offsets of time zones change, and days begin, only where one begins. */
const QUARTER_MICROS = 900_000_000;

/**
 * Plain records go from bytes to rows in one step, in a kernel of WebAssembly, and at its speed. Plain is what most records
 * are: printable text, no odd escape, no field that is seen for the first time, nothing wrong. Any other record is left to the
 * decoder, the check and the stager, which alone say what a record means: the lane may only do what they would have done.
 */
export class FastLane {
  readonly table: string;
  private readonly eventType: EventType;
  private readonly options: LaneOptions;
  /** Starting takes as long as decoding some thousand records does: nothing is started before there are as many. */
  private running: RunningKernel | undefined;
  private bytesSeen = 0;
  private latestMicros = 0;
  private origin: { readonly source: string; readonly receivedAtMicros: number } | undefined;
  private program: AvroProgram | undefined;
  private readonly unknownFields: UnknownField[] = [];
  private input = 0;
  private inputCapacity = 0;
  /** What the kernel's memory holds of the decoder's bytes: those from `sourceStart` on. */
  private source: Uint8Array = new Uint8Array(0);
  private sourceStart = 0;
  private sourceEnd = 0;
  private isCopied = false;

  constructor(eventType: EventType, options: LaneOptions) {
    this.eventType = eventType;
    this.options = options;
    this.table = stagedEventTable(eventType, options.contracts).name;
  }

  /** Rows from here on came from there; the source may be the one that the segment was told last. */
  startRuns(source: string, receivedAtMicros: number, isOtherSource = true): void {
    this.origin = { source, receivedAtMicros };
    this.latestMicros = receivedAtMicros + FUTURE_ALLOWANCE_MICROS;
    this.running?.segment.startRuns(isOtherSource ? source : undefined, receivedAtMicros);
    this.running?.kernel.setReceived(this.latestMicros);
  }

  /** The writer's schema of the records that `takeAvro` is asked for. */
  useProgram(program: AvroProgram): void {
    this.program = program;
    if (this.running === undefined) return;
    const { kernel, memory, programs } = this.running;
    const held = programs.get(program) ?? {
      code: memory.words(program.code),
      symbols: memory.words(program.symbols.map((symbols) => memory.texts(symbols))),
    };
    programs.set(program, held);
    kernel.setProgram(held.code, held.symbols);
  }

  forgetFields(): void {
    this.unknownFields.length = 0;
    this.running?.keys.forgetUnknown();
  }

  knowField(prefix: string, name: Uint8Array): UnknownFieldCount {
    const field: UnknownField = { prefix, name, address: undefined, counted: 0 };
    this.unknownFields.push(field);
    this.showField(field);
    return () => this.countOf(field);
  }

  /** The bytes that records are taken from next. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.source = bytes;
    this.sourceStart = start;
    this.sourceEnd = end;
    this.isCopied = false;
    this.bytesSeen += end - start;
    if (this.running === undefined && this.bytesSeen >= this.options.worthBytes) this.start();
  }

  /** Takes at most `limit` plain lines from `start` on, as rows and records numbered from these on; returns how many. */
  takeLines(start: number, limit: number, stageRow: number, recordNumber: number): number {
    if (this.running === undefined) return 0;
    const { kernel } = this.running;
    const from = this.copyInput(this.running);
    return kernel.takeLines(from + start, from + this.sourceEnd, limit, this.options.maxRecordBytes, stageRow, recordNumber);
  }

  /** The same for the records of an Avro block. */
  takeAvro(start: number, limit: number, stageRow: number, recordNumber: number): number {
    if (this.running === undefined) return 0;
    const { kernel } = this.running;
    const from = this.copyInput(this.running);
    return kernel.takeAvro(from + start, from + this.sourceEnd, limit, this.options.maxRecordBytes, stageRow, recordNumber);
  }

  /** The one object from `start` to the end of the bytes; 1 if it was taken. */
  takeObject(start: number, stageRow: number, recordNumber: number): number {
    if (this.running === undefined) return 0;
    const { kernel } = this.running;
    const from = this.copyInput(this.running);
    return kernel.takeObject(from + start, from + this.sourceEnd, this.options.maxRecordBytes, stageRow, recordNumber);
  }

  /** The same for an Avro record. */
  takeAvroRecord(start: number, stageRow: number, recordNumber: number): number {
    if (this.running === undefined) return 0;
    const { kernel } = this.running;
    const from = this.copyInput(this.running);
    return kernel.takeAvroRecord(from + start, from + this.sourceEnd, this.options.maxRecordBytes, stageRow, recordNumber);
  }

  /** Position behind the last record that was taken. */
  get behind(): number {
    return (this.running?.kernel.takenUpTo() ?? 0) - this.input + this.sourceStart;
  }

  /** Once the lane is running: where the rows go that others make of records. After `reset` it may be another one. */
  get segment(): RowSegment | undefined {
    return this.running?.segment;
  }

  get rows(): number {
    return this.running?.segment.rows ?? 0;
  }

  get isFull(): boolean {
    return this.running?.segment.isFull ?? false;
  }

  /** Of the kernel. */
  get memoryBytes(): number {
    return this.running?.kernel.memory.buffer.byteLength ?? 0;
  }

  /** Counts how late the events of its rows came. */
  tallyEventLag(tally: EventLagTally): void {
    this.running?.segment.tallyEventLag(tally);
  }

  writeTo(path: string): void {
    this.running?.segment.writeTo(path);
  }

  /** Forgets the rows, which are written or of no use. */
  reset(): void {
    this.running?.segment.reset();
    if (this.memoryBytes > KEPT_MEMORY || (this.running?.programs.size ?? 0) > KEPT_PROGRAMS) this.start();
  }

  private showField(field: UnknownField): void {
    field.address = this.running?.keys.addUnknown(field.prefix, field.name);
  }

  private countOf({ address, counted }: UnknownField): number {
    return counted + (address === undefined || this.running === undefined ? 0 : this.running.memory.word(address));
  }

  /** Where in the kernel's memory the byte 0 of the source would stand. */
  private copyInput({ memory }: RunningKernel): number {
    if (!this.isCopied) {
      const length = this.sourceEnd - this.sourceStart;
      if (length > this.inputCapacity) {
        this.inputCapacity = Math.max(length, 2 * this.inputCapacity);
        this.input = memory.allocate(this.inputCapacity + layout.PADDING);
      }
      memory.bytes.set(this.source.subarray(this.sourceStart, this.sourceEnd), this.input);
      memory.bytes.fill(0, this.input + length, this.input + length + layout.PADDING);
      this.isCopied = true;
    }
    return this.input - this.sourceStart;
  }

  private start(): void {
    for (const field of this.unknownFields) {
      field.counted = this.countOf(field);
      field.address = undefined;
    }
    const reportDate = createReportDate(this.options.reportingTimeZone);
    const rates = new RateTable(this.options.rates);
    const kernel: Kernel = startKernel({
      isBot: (start, length) => (isbot(UTF8.decode(memory.bytes.subarray(start, start + length))) ? 1 : 0),
      findDay: (micros) => {
        const from = Math.floor(micros / QUARTER_MICROS) * QUARTER_MICROS;
        const to = from + QUARTER_MICROS;
        const day = reportDate(micros);
        if (reportDate(from) === day && reportDate(to - 1) === day) kernel.setDay(day, from, to);
        else kernel.setDay(day, micros, micros + 1);
      },
      findRate: (letters, micros) => rates.find(String.fromCharCode(letters & 0xff, (letters >> 8) & 0xff, letters >> 16), micros) ?? 0,
    });
    const memory = new KernelMemory(kernel);
    const segment = new LaneSegment(stagedEventTable(this.eventType, this.options.contracts), kernel, memory);
    const { address, keys } = writeSetup(memory, segment, this.eventType, this.options);
    kernel.setUp(address);
    this.running = { kernel, memory, segment, keys, programs: new Map() };
    for (const field of this.unknownFields) this.showField(field);
    this.inputCapacity = 0;
    this.isCopied = false;
    if (this.origin !== undefined) this.startRuns(this.origin.source, this.origin.receivedAtMicros);
    if (this.program !== undefined) this.useProgram(this.program);
  }
}

interface RunningKernel {
  readonly kernel: Kernel;
  readonly memory: KernelMemory;
  readonly segment: LaneSegment;
  readonly keys: KeyNodes;
  /** Where it has them. */
  readonly programs: Map<AvroProgram, { readonly code: number; readonly symbols: number }>;
}

/** A key that the contract does not know. */
interface UnknownField {
  readonly prefix: string;
  readonly name: Uint8Array;
  /** Where the kernel counts it, if it does. */
  address: number | undefined;
  /** Counted before the kernel was started anew. */
  counted: number;
}

const UTF8 = new TextDecoder();
